// The little that HTML can not do alone: the drawer, ticking many rows, and the form token of htmx.
"use strict";
(function () {
  const token = () => document.querySelector('meta[name="form-token"]')?.content || "";

  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-Form-Token"] = token();
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const drawer = event.target.closest("dialog");
    if (drawer && !drawer.open) drawer.showModal();
    countTicked();
  });

  // A refusal (403, 422) answers with a fragment that says why; show it like any other answer.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if ([403, 404, 422].includes(event.detail.xhr.status)) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });

  document.addEventListener("click", (event) => {
    const target = event.target;
    if (!(target instanceof Element)) return;
    const opener = target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens)?.showModal();
    if (target.closest("[data-closes]")) target.closest("dialog")?.close();
    if (target instanceof HTMLDialogElement) target.close(); // the backdrop belongs to the dialog
    if (target.closest("[data-prints]")) window.print();
  });

  function rows() {
    return [...document.querySelectorAll('input[name="alert"]')];
  }

  function countTicked() {
    const ticked = rows().filter((box) => box.checked).length;
    const shown = document.getElementById("ticked");
    if (shown) shown.textContent = String(ticked);
    document.querySelectorAll("[data-needs-ticked]").forEach((button) => { button.disabled = ticked === 0; });
  }

  document.addEventListener("change", (event) => {
    const target = event.target;
    if (target.matches("[data-ticks-all]")) rows().forEach((box) => { box.checked = target.checked; });
    if (target.matches('[data-ticks-all], input[name="alert"]')) countTicked();
  });

  countTicked();
})();

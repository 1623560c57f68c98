-- 26 features of the catalogue as somebody would write them by hand for one shop and one currency.
-- Columns are taken from the payload where a kind has them only, and views and carts are left out at once.
-- What a customer has taken back the consent for is null.
-- Reads the history files ($files) and the table link; $as_of is the instant that is stood at.
WITH known AS (
    SELECT link.customer_id, kind, occurred_at, order_ref, amount_minor,
           CASE WHEN kind = 'refund_issued' THEN payload ->> '$.refund_kind' END AS refund_kind,
           CASE WHEN kind IN ('order_placed', 'order_line_placed') THEN payload ->> '$.payment_method' END
               AS payment_method,
           CASE WHEN kind IN ('repayment_received', 'instalment_overdue') THEN (payload ->> '$.days_past_due')::INT
               END AS dpd,
           CASE WHEN kind IN ('login_recorded', 'order_placed') THEN payload ->> '$.device_token' END
               AS device_token,
           CASE WHEN kind = 'external_score_received' THEN payload ->> '$.product' END AS product,
           CASE WHEN kind = 'external_score_received' THEN {
               'at': occurred_at, 'until': occurred_at + to_days(coalesce((payload ->> '$.valid_days')::INT, 365)),
               'score': (payload ->> '$.score')::DOUBLE, 'open': (payload ->> '$.open_loans')::DOUBLE,
               'overdue': (payload ->> '$.overdue_loans')::DOUBLE,
               'court': (payload ->> '$.court_records')::DOUBLE} END AS told,
           occurred_at > $as_of - INTERVAL 30 DAY AS d30, occurred_at > $as_of - INTERVAL 90 DAY AS d90,
           occurred_at > $as_of - INTERVAL 180 DAY AS d180, occurred_at > $as_of - INTERVAL 365 DAY AS d365,
           kind IN ('order_placed', 'order_line_placed') AS ordered,
           kind IN ('order_cancelled', 'order_line_cancelled') AS cancelled,
           kind IN ('refund_issued', 'return_requested', 'delivery_refused') AS sent_back,
           CASE WHEN ordered THEN occurred_at AT TIME ZONE 'Asia/Shanghai' END AS here
    FROM read_parquet($files) event JOIN link USING (source, customer_ref)
    WHERE occurred_at <= $as_of AND received_at <= $as_of
      AND kind NOT IN ('product_viewed', 'cart_changed')
), counted AS (
    SELECT customer_id,
        count(DISTINCT order_ref) FILTER (ordered AND d30) AS orders_30,
        count(DISTINCT order_ref) FILTER (ordered AND d90) AS orders_90,
        count(DISTINCT order_ref) FILTER (ordered AND d180) AS orders_180,
        count(DISTINCT order_ref) FILTER (ordered AND d365) AS orders_365,
        coalesce(sum(amount_minor) FILTER (ordered AND d365), 0) / 100.0 AS spend_365,
        date_diff('second', max(occurred_at) FILTER (ordered), $as_of) // 86400 AS since_order,
        date_diff('second', min(occurred_at) FILTER (ordered OR kind = 'customer_registered'), $as_of) // 86400
            AS tenure,
        count(DISTINCT year(here) * 12 + month(here)) FILTER (ordered AND d365) AS months_365,
        count(DISTINCT order_ref) FILTER (cancelled AND d180) AS cancelled_180,
        count(DISTINCT order_ref) FILTER (cancelled AND d365) AS cancelled_365,
        date_diff('second', max(occurred_at) FILTER (cancelled), $as_of) // 86400 AS since_cancel,
        count(DISTINCT order_ref) FILTER (kind = 'refund_issued' AND d180) AS refunds_180,
        count(*) FILTER (kind = 'refund_issued' AND d180 AND refund_kind = 'refund_only')
            AS refund_only_180,
        count(DISTINCT order_ref) FILTER (sent_back AND d30) AS back_30,
        count(DISTINCT order_ref) FILTER (sent_back AND d180) AS back_180,
        count(DISTINCT order_ref) FILTER (ordered AND d180 AND payment_method = 'credit')
            AS on_credit_180,
        coalesce(sum(amount_minor) FILTER (ordered AND d90 AND payment_method = 'credit'), 0)
            / 100.0 AS credit_spend_90,
        arg_max(amount_minor, occurred_at) FILTER (kind IN ('line_opened', 'line_limit_changed')) / 100.0
            AS line_limit,
        count(*) FILTER (kind = 'repayment_received' AND d180 AND dpd >= 1)
            AS late_180,
        max(CASE WHEN kind IN ('repayment_received', 'instalment_overdue') AND d180
                 THEN dpd END) AS worst_180,
        max(CASE WHEN kind IN ('repayment_received', 'instalment_overdue')
                  AND occurred_at > $as_of - INTERVAL 1825 DAY THEN dpd END) AS worst_1825,
        count(DISTINCT order_ref) FILTER (ordered AND d180 AND hour(here) <= 5) AS night_180,
        count(DISTINCT CASE WHEN kind IN ('login_recorded', 'order_placed') AND d90
                            THEN device_token END) AS devices_90,
        count(*) FILTER (kind IN ('complaint_filed', 'violation_recorded') AND d180) AS complaints_180,
        arg_max(told, occurred_at) FILTER (d365 AND product = 'sesame_score') AS sesame,
        arg_max(told, occurred_at) FILTER (d365 AND product = 'wechat_pay_score') AS wechat,
        arg_max(told, occurred_at) FILTER (d365 AND product = 'bureau_report') AS bureau,
        arg_max(told, occurred_at) FILTER (d365 AND product = 'public_records') AS public_records
    FROM known GROUP BY customer_id
), said AS (
    SELECT link.customer_id, payload ->> '$.purpose' AS purpose,
        arg_max(kind, (occurred_at, received_at, kind)) = 'consent_withdrawn' AS taken_back
    FROM read_parquet($files) event JOIN link USING (source, customer_ref)
    WHERE occurred_at <= $as_of AND received_at <= $as_of AND kind IN ('consent_given', 'consent_withdrawn')
    GROUP BY link.customer_id, source, customer_ref, purpose
), refused AS (
    SELECT customer_id, bool_or(purpose = 'credit_assessment') AS no_assessment,
        bool_or(purpose IN ('behaviour', 'payment_and_address')) AS no_devices,
        bool_or(purpose = 'external_data') AS no_outside
    FROM said WHERE taken_back GROUP BY customer_id
), valued AS (
    SELECT customer_id, coalesce(no_assessment, false) AS no_assessment, NOT coalesce(no_outside, false) AS allowed,
        orders_90::DOUBLE AS orders_90d,
        spend_365::DOUBLE AS spend_365d,
        spend_365 / nullif(orders_365, 0) AS mean_order_value_365d,
        since_order::DOUBLE AS days_since_last_order,
        tenure::DOUBLE AS tenure_days,
        months_365::DOUBLE AS active_months_365d,
        coalesce(cancelled_180 / nullif(orders_180, 0), 0) AS cancelled_share_180d,
        cancelled_365::DOUBLE AS cancelled_orders_365d,
        since_cancel::DOUBLE AS days_since_last_cancel,
        coalesce(refunds_180 / nullif(orders_180, 0), 0) AS refund_share_180d,
        refund_only_180::DOUBLE AS refund_only_count_180d,
        coalesce(back_30 / nullif(orders_30, 0) - back_180 / nullif(orders_180, 0), 0) AS return_rate_jump_30d,
        coalesce(on_credit_180 / nullif(orders_180, 0), 0) AS credit_order_share_180d,
        credit_spend_90 / nullif(line_limit, 0) AS credit_use_90d,
        late_180::DOUBLE AS late_repayments_180d,
        coalesce(worst_180, 0)::DOUBLE AS max_days_past_due_180d,
        coalesce(worst_1825, 0)::DOUBLE AS max_days_past_due_1825d,
        coalesce(night_180 / nullif(orders_180, 0), 0) AS night_order_share_180d,
        CASE WHEN NOT coalesce(no_devices, false) THEN devices_90::DOUBLE END AS distinct_devices_90d,
        complaints_180::DOUBLE AS complaints_180d,
        CASE WHEN sesame.until > $as_of AND allowed THEN sesame.score END AS sesame_score,
        CASE WHEN wechat.until > $as_of AND allowed THEN wechat.score END AS wechat_pay_score,
        CASE WHEN bureau.until > $as_of AND allowed THEN bureau.open END AS bureau_open_loans,
        CASE WHEN bureau.until > $as_of AND allowed THEN bureau.overdue END AS bureau_overdue_loans,
        CASE WHEN bureau.until > $as_of AND allowed THEN bureau.overdue / nullif(bureau.open, 0) END AS bureau_overdue_share,
        CASE WHEN public_records.until > $as_of AND allowed THEN public_records.court END AS court_records
    FROM counted LEFT JOIN refused USING (customer_id)
)
-- How somebody repays what they owe is looked at under the contract itself.
SELECT customer_id, late_repayments_180d, max_days_past_due_180d, max_days_past_due_1825d,
    CASE WHEN NOT no_assessment THEN COLUMNS(* EXCLUDE (customer_id, no_assessment, allowed,
        late_repayments_180d, max_days_past_due_180d, max_days_past_due_1825d)) END
FROM valued ORDER BY customer_id

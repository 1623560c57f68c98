"""Erasure: everything personal that was ever taken in of somebody goes, and nothing of it comes back.

Their sealed values and codes are removed, refused rows that hold them are emptied (that they were
refused is kept), and the keys of all of it are forgotten. What a shop sends of them afterwards is
refused as soon as it says something that would have to be sealed.
"""

from shouxin.ingestion.erasure.service import ErasedValues, erase_references, refuse_erased, without_erased

__all__ = ["ErasedValues", "erase_references", "refuse_erased", "without_erased"]

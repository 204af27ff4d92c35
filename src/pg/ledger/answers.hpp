// What the functions that book answer: the row of a transaction or hold, as jsonb in the memory context `into`.
#pragma once

#include "pg/ledger/book.hpp"

namespace loyalty::pg {

Datum transaction_answer(const AccountKey& key, const Uuid& id, bool repeated, MemoryContext into);
Datum hold_answer(const AccountKey& key, const Uuid& id, bool repeated, MemoryContext into);

// Inserts a row and answers with it, or with the transaction that was booked before for the same posting.
Datum post(const Posting& posting, MemoryContext into);

}  // namespace loyalty::pg

#include "pg/ledger/many_rows.hpp"

namespace loyalty::pg {

void ManyResults::refuse(std::size_t row, Trouble trouble) {
    if (!skips_ || is_of_call(trouble)) {
        throw Error(trouble.sqlstate, "row " + std::to_string(row + 1) + ": " + trouble.message, trouble.detail,
                    trouble.hint);
    }
    outcomes_.rows[row] = {RowOutcome::Kind::refused, {}, outcomes_.troubles.size()};
    outcomes_.troubles.push_back(std::move(trouble));
}

}  // namespace loyalty::pg

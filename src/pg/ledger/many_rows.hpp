// The rows of a call that books many, and what becomes of each.
#pragma once

#include "pg/ledger/book.hpp"
#include "pg/ledger/many.hpp"

namespace loyalty::pg {

struct ManyRow {
    std::size_t number;
    Posting posting;

    // What its account in memory decides; everything else is booked by itself.
    bool is_plain() const { return posting.type == "accrual" || posting.type == "redemption"; }
};

// Errors of the isolation between transactions are the whole call's, which is to be tried again.
inline bool is_of_call(const Trouble& trouble) { return trouble.sqlstate.starts_with("40"); }

[[noreturn]] inline void raise(const Trouble& trouble) {
    throw Error(trouble.sqlstate, trouble.message, trouble.detail, trouble.hint);
}

// What has become of the rows so far: of one that is refused an error, unless such rows are skipped.
class ManyResults {
public:
    ManyResults(std::size_t rows, bool skips) : skips_(skips) { outcomes_.rows.resize(rows); }

    bool skips() const { return skips_; }
    bool is_refused(std::size_t row) const { return outcomes_.rows[row].kind == RowOutcome::Kind::refused; }
    const Trouble& last_trouble() const { return outcomes_.troubles.back(); }

    void note(std::size_t row, const Booking& booking) {
        outcomes_.rows[row] = booking.repeated ? RowOutcome{RowOutcome::Kind::repeated, *booking.repeated, 0}
                                               : RowOutcome{RowOutcome::Kind::booked, booking.id, 0};
    }
    // Error of the trouble, which names the row by its number from 1, unless such rows are skipped.
    void refuse(std::size_t row, Trouble trouble);

    // Runs what may fail for the row without a trace, but for plain errors of ours where nothing is open yet.
    template <class Body>
    void try_row(std::size_t row, bool reads, const Body& body) {
        if (skips_ && reads) {
            if (auto trouble = attempt(body)) refuse(row, *std::move(trouble));
            return;
        }
        try {
            body();
        } catch (const Error& error) {
            refuse(row, {error.sqlstate(), error.message(), error.detail(), error.hint()});
        }
    }

    std::size_t troubles() const { return outcomes_.troubles.size(); }
    // Forgets what came of the rows since there were so many troubles.
    void forget(const std::vector<ManyRow*>& rows, std::size_t troubles) {
        outcomes_.troubles.resize(troubles);
        for (const ManyRow* row : rows) outcomes_.rows[row->number] = {};
    }

    ManyOutcomes take() { return std::move(outcomes_); }

private:
    const bool skips_;
    ManyOutcomes outcomes_;
};

}  // namespace loyalty::pg

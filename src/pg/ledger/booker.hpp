// One booking, from the posting to the account and what follows from it. Its course, and what adds to an account or
// spends from it, is in book.cc; what goes back to an earlier row, in book_undo.cc; committing a hold, in book_hold.cc;
// a posting that was booked before, in book_again.cc.
#pragma once

#include "pg/ledger/around_booking.hpp"
#include "pg/ledger/book.hpp"

namespace loyalty::pg {

class Booker {
public:
    Booker(const Posting& posting, const KeyArguments& key, AccountState& state);

    Booking run();

    // In an account that is locked and read, with as many lots as it takes. Its entries get their ids; the caller
    // writes them.
    Decision run_in_memory(std::vector<Uuid>& ids);

private:
    using Units = ledger::Units;
    using Place = std::optional<std::size_t>;  // of its entry in the account; nothing where it was booked before

    Place decide();
    void write(std::size_t own);
    void name_entries(std::vector<Uuid>& ids) const;

    bool is_cancel() const { return posting_.by_owner && posting_.source_type == "cancel"; }
    bool is_write_off() const { return posting_.by_owner && posting_.source_type == "write_off"; }
    AccountQuestion question() const;
    void read_enough_lots();

    // What is booked by hand under a promotion. A hold was bound when it was made, an order by the version in force.
    bool is_bound_by_rules() const;
    void bind_by_rules();
    void give_back_undone() const;

    Place post();
    Place post_credit();
    void require_first_initial() const;
    Place post_redemption();
    Place post_write_off();

    bool is_repeated();

    // Whether the hold is open; if it was committed before, its transaction is the answer.
    bool open_hold();
    void close_hold() const;
    Place post_commit();

    [[noreturn]] void fail_undone(const std::string& found) const;
    // For a row that is not in the ledger: if it was archived and cancelled before, its cancellation is the answer;
    // else it is not undone any more.
    void find_archived(bool (*fits)(std::string_view type));
    // What an order booked is undone by the functions for orders alone, which keep the order's own figures; what a goal
    // took and gave stays.
    void refuse_row_of(const std::optional<std::string>& source_type) const;
    // The amount of a refund or claim, given what is left of the row that it undoes; false if that was cancelled
    // before.
    bool settle_amount(Units left, const std::optional<Uuid>& cancelled_by);
    Place post_refund();
    Place post_reversal();
    // What is to be known of the accrual; false if it was cancelled before.
    bool read_claim(ledger::Claim& claim);

    const Posting& posting_;
    const ledger::Type type_;
    const KeyArguments& key_;
    const TimestampTz now_;
    const TimestampTz created_at_;
    Units value_ = 0;
    AccountState& state_;
    bool all_lots_read_ = false;
    const Terms& terms_ = state_.terms;
    Booking booking_;
    std::optional<TriggerUse> use_;
};

}  // namespace loyalty::pg

// Accounts of many members of one program, read and written by a statement for each table. Their members are locked.
#pragma once

#include "pg/ledger/book.hpp"

namespace loyalty::pg {

// An account that is worked on in memory, and what is booked in it.
struct ManyAccount {
    // One of its entries that was asked for; the others follow from these.
    struct Own {
        const Posting* posting;
        Decision decision;
    };

    explicit ManyAccount(AccountKey account) : key(std::move(account)), arguments(key) {}

    // What follows from each of its bookings is booked before the next: holds that have ended, a goal that is reached.
    bool is_left_alone() const { return has_timed_out_holds || state.terms.has_goal; }

    AccountKey key;
    KeyArguments arguments;
    AccountState state;  // its terms are to be set before it is read
    bool has_timed_out_holds = false;
    ledger::Units to_spend = 0;  // what redemptions may take: lots are read until they hold as much
    std::int64_t redemptions = 0;
    std::vector<Uuid> ids;  // of its entries
    std::vector<Own> own;   // in the order of the entries
};

void read_accounts(const std::string& program, std::vector<ManyAccount*>& accounts, TimestampTz now);

// Writes what has changed, the rows of the ledger and the events, of accounts in which anything that was asked for is
// booked.
void write_accounts(const std::string& program, const std::vector<const ManyAccount*>& accounts, TimestampTz now);

// The row of one booking that wrote everything else itself.
void insert_row(const Posting& posting, const Booking& booking);

}  // namespace loyalty::pg

// The ledger's statements on one account: lock it, read it, write it back. They run as the schema's owner within a
// connection to SPI. All keys start with the member.
#pragma once

#include "core/ledger/account.hpp"

#include <optional>
#include <string>
#include <vector>

#include "pg/ledger/terms.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

struct AccountKey {
    std::string member;
    std::string program;
    std::string point_type;
};

// The key as arguments of queries, made once for the statements of a booking.
struct KeyArguments {
    Argument member, program, point_type;

    explicit KeyArguments(const AccountKey& key)
        : member(text_argument(key.member)),
          program(text_argument(key.program)),
          point_type(text_argument(key.point_type)) {}
};

// What to read of an account: its lots that expire by `until`, at most `limit` of them.
struct AccountQuestion {
    TimestampTz now = 0;
    TimestampTz until = DT_NOEND;
    std::optional<std::int64_t> limit;
    std::optional<std::string> external_id;
    std::optional<bool> locked;  // the member is locked already: and whether removed
};

// What is known of a locked account, as committed now and changed by this transaction, whatever the snapshot.
struct AccountState {
    Terms terms;
    bool exists = false;  // whether anything was booked in the account before
    ledger::Account account;
    std::optional<Uuid> transaction;  // which have the external id asked for
    std::optional<Uuid> hold;
};

// Locks the account and reads it: every booking for the member in the program comes after those that hold the lock. The
// lock is that of the member's row, which always exists, so that the first movement of an account is no special case,
// and it guards what the member's accounts share, the external ids. What the calendar of tiers has due for the account
// is booked first. The lots that timed-out holds had reserved are free again, which is written. Errors: LY201, LY208,
// LY507 where program, point type or member does not exist.
AccountState lock_account(const AccountKey& key, const KeyArguments& arguments, const AccountQuestion& question);

// Reads a locked account, as lock_account() does.
void read_account(const KeyArguments& arguments, const AccountQuestion& question, AccountState& state);

// An account's columns seq, total, debt and owed of loyalty.balances.
void read_figures(ColumnsInTurn& column, int scale, ledger::Account& account);

// Columns seq, remaining, held, active_from and expires_at of loyalty.lots; nothing where the query found no lot.
std::optional<ledger::Lot> read_lot(ColumnsInTurn& column, int scale);

// What a hold has reserved, in the order of consumption; its lots are added to the account. Throws ledger::Damage where
// one of them is gone.
std::vector<ledger::Movement> read_reserved(const KeyArguments& key, const Uuid& hold, int scale,
                                            ledger::Account& account);

// The row that the caller inserts: which of the entries it is, and what the others have no use for.
struct OwnRow {
    std::size_t entry = 0;
    std::optional<std::string> source_type, source, promotion;
};

// Writes the account and its lots, the events of all entries, and all entries as transactions but for the caller's own,
// whose id is returned. Ids are made in the order of the entries, so that they sort like these.
Uuid write_account(const AccountKey& key, const KeyArguments& arguments, const AccountState& state, TimestampTz now,
                   const std::optional<OwnRow>& own);

const char* name_of(ledger::Type type);

// Error LY505 where the account's figures are too large.
void check_range(const ledger::Account& account, int scale);

// Error XX001: what is stored of the account contradicts itself.
[[noreturn]] void fail_damaged(const AccountKey& key, const std::string& detail);

// Runs what changes the account; where that finds damage, the error names the account.
template <class Body>
auto naming_damage(const AccountKey& key, const Body& body) {
    try {
        return body();
    } catch (const ledger::Damage& damage) {
        fail_damaged(key, damage.what());
    }
}

}  // namespace loyalty::pg

// The ledger's statements on one account: lock it, read it, write it back. They run as the schema's owner within a
// connection to SPI. All keys start with the member.
#pragma once

#include "core/ledger/account.hpp"

#include <optional>
#include <string>
#include <vector>

#include "pg/values.hpp"

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

// What program, point type and member say of a booking.
struct Terms {
    bool program_active = false;
    bool debt_allowed = false;
    int scale = 0;
    bool type_usable = false;
    bool refund_allowed = false;
    bool member_removed = false;
    bool qualifies = false;       // points of the type may lift through tiers
    bool judges_dynamic = false;  // the program has dynamic tiers, which any booking may change
    TimestampTz expires_at = DT_NOEND;  // of points that can be spent from the given moment on
};

// Locks the account: every booking for the member in the program comes after those that hold the lock. The lock is that of
// the member's row, which always exists, so that the first movement of an account is no special case, and it guards what
// the member's accounts share, the external ids. What the
// calendar of tiers has due for the account is booked first. Errors: LY201, LY208, LY507 where one of the three does not exist.
Terms lock_account(const AccountKey& key, const KeyArguments& arguments, TimestampTz now, TimestampTz active_from);

// For the extent of an object, queries see what is committed now and what this transaction has written so far. What is
// read of a locked account is read so: under an old snapshot the writing that follows fails, and nothing stale is booked.
class FreshSnapshot {
public:
    FreshSnapshot() : latest_(after_own_writes()) {}

private:
    static LatestSnapshot after_own_writes() {
        postgres([] { CommandCounterIncrement(); });
        return LatestSnapshot();
    }
    LatestSnapshot latest_;
};

// What is known of a locked account, as committed now and changed by this transaction, whatever the snapshot.
struct AccountState {
    ledger::Account account;
    std::optional<Uuid> transaction;  // which have the external id asked for
    std::optional<Uuid> hold;
};

// Reads the account with its lots that expire by `until`, at most `limit` of them; the lots that timed-out holds had
// reserved are free again, which is written.
struct AccountQuestion {
    int scale = 0;
    TimestampTz now = 0;
    TimestampTz until = DT_NOEND;
    std::optional<std::int64_t> limit;
    std::optional<std::string> external_id;
};

AccountState read_account(const KeyArguments& key, const AccountQuestion& question);

// Adds the lots that a query yields: seq, amount, remaining, held, active_from, expires_at from the column on.
void add_lots(ledger::Account& account, const Rows& rows, int first_column, int scale);

// What a hold has reserved, in the order of consumption; its lots are added to the account.
std::vector<ledger::Movement> read_reserved(const KeyArguments& key, const Uuid& hold, int scale,
                                            ledger::Account& account);

// Writes the account and its lots, and all entries as transactions but the one numbered `own`: that is the row which the
// caller inserts himself, with the id returned. Ids are made in the order of the entries, so that they sort like these.
Uuid write_account(const KeyArguments& key, const ledger::Account& account, int scale, TimestampTz now,
                   std::optional<std::size_t> own);

const char* name_of(ledger::Type type);

}  // namespace loyalty::pg

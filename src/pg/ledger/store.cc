#include "pg/ledger/store.hpp"

#include "core/money/decimal.hpp"

#include <algorithm>

#include "pg/events/outbox.hpp"
#include "pg/ledger/around_booking.hpp"
#include "pg/ledger/events.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

using namespace ledger;

namespace {

// Returns whether the member was removed; nothing if there is no such member.
std::optional<bool> lock_member(const KeyArguments& key) {
    static Query query(
        "SELECT removed_at IS NOT NULL FROM loyalty.members WHERE member = $1 AND program = $2 FOR NO KEY UPDATE",
        {TEXTOID, TEXTOID});
    const Rows rows = query.run({key.member, key.program}, true);
    return rows.size() == 0 ? std::nullopt : std::optional(rows.boolean(0, 1));
}

// Whether a hold has timed out, the lots, one a row, and the balance.
Rows run_read(const KeyArguments& key, const AccountQuestion& question) {
    static Query query(
        "SELECT EXISTS (SELECT FROM loyalty.holds h"
        "                WHERE h.member = $1 AND h.program = $2 AND h.point_type = $3 AND h.state = 'open'"
        "                    AND h.expires_at <= $4),"
        "       l.seq, l.remaining, l.held, l.active_from, l.expires_at, b.seq, b.total, b.debt, b.owed"
        "  FROM loyalty.balances b"
        "  LEFT JOIN LATERAL ("
        "       SELECT seq, remaining, held, active_from, expires_at FROM loyalty.lots"
        "        WHERE member = $1 AND program = $2 AND point_type = $3 AND open AND expires_at <= $5"
        "        ORDER BY expires_at, active_from, seq LIMIT $6) l ON true"
        " WHERE b.member = $1 AND b.program = $2 AND b.point_type = $3",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID});
    return query.run({key.member, key.program, key.point_type, timestamp_argument(wall_now()),
                      timestamp_argument(question.until), optional_bigint_argument(question.limit)});
}

// Which transaction and which hold have the external id.
void find_external_id(const KeyArguments& key, const std::string& external_id, AccountState& state) {
    static Query query(
        "SELECT coalesce("
        "           (SELECT id FROM loyalty.transactions WHERE member = $1 AND program = $2 AND external_id = $3),"
        "           (SELECT id FROM loyalty.archived_ids WHERE member = $1 AND program = $2 AND external_id = $3)),"
        "       (SELECT id FROM loyalty.holds WHERE member = $1 AND program = $2 AND external_id = $3)",
        {TEXTOID, TEXTOID, TEXTOID});
    const Rows rows = query.run({key.member, key.program, text_argument(external_id)});
    ColumnsInTurn columns(rows);
    state.transaction = columns.optional_uuid();
    state.hold = columns.optional_uuid();
}

// Ends the holds whose time is over, and frees what they had reserved. That is written at once, for not everything that
// reads an account books something: the answer to a repeated request does not.
void end_timed_out_holds(const KeyArguments& key) {
    static Query query(
        "WITH ended AS ("
        "    UPDATE loyalty.holds SET state = 'timed_out', ended_at = expires_at"
        "     WHERE member = $1 AND program = $2 AND point_type = $3 AND state = 'open' AND expires_at <= $4"
        "    RETURNING id)"
        ", freed AS ("
        "    SELECT reserved.lot, sum(reserved.amount) AS amount FROM ended"
        "      JOIN loyalty.hold_lots reserved ON reserved.member = $1 AND reserved.program = $2"
        "          AND reserved.hold = ended.id"
        "     GROUP BY reserved.lot)"
        " UPDATE loyalty.lots l SET held = l.held - freed.amount FROM freed"
        "  WHERE l.member = $1 AND l.program = $2 AND l.point_type = $3 AND l.seq = freed.lot",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID});
    query.run({key.member, key.program, key.point_type, timestamp_argument(wall_now())}, true);
}

// Writes a balance, and then, as WITH clauses and a statement that read the relation `account`, what goes with it. An
// account that exists is updated, a new one inserted: an upsert would check every constraint twice. Under an old
// snapshot the update may not find the row that was read; then nothing is written.
class AccountQuery {
public:
    AccountQuery(const std::string& rest, std::initializer_list<Oid> types)
        : update_((std::string("WITH account AS (") + update + " RETURNING true)" + rest).c_str(), types,
                  {"balances_member_fkey", "balances_point_type_fkey"}),
          insert_((std::string("WITH account AS (") + insert + " RETURNING true)" + rest).c_str(), types) {}

    void run(bool exists, std::initializer_list<Argument> arguments) {
        // An update keeps the key, which was checked when the row was made.
        if ((exists ? update_.run_proven(arguments) : insert_.run(arguments, true)).size() == 1) return;
        throw Error("40001", "could not serialize access due to concurrent update");
    }

private:
    static constexpr const char* update =
        "UPDATE loyalty.balances SET seq = $4, total = $5, debt = $6, owed = $7, updated_at = $8"
        " WHERE member = $1 AND program = $2 AND point_type = $3";
    static constexpr const char* insert =
        "INSERT INTO loyalty.balances (member, program, point_type, seq, total, debt, owed, updated_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

    Query update_, insert_;
};

struct BalanceArguments {
    bool exists;
    Argument seq, total, debt, owed, updated_at;

    BalanceArguments(const AccountState& state, TimestampTz now)
        : exists(state.exists),
          seq(bigint_argument(state.account.seq)),
          total(units_argument(state.account.total, state.terms.scale)),
          debt(units_argument(state.account.debt, state.terms.scale)),
          owed(units_argument(state.account.owed, state.terms.scale)),
          updated_at(timestamp_argument(now)) {}
};

void write_balance(const KeyArguments& key, const BalanceArguments& balance) {
    static AccountQuery query(" SELECT FROM account",
                              {TEXTOID, TEXTOID, TEXTOID, INT8OID, NUMERICOID, NUMERICOID, NUMERICOID, TIMESTAMPTZOID});
    query.run(balance.exists, {key.member, key.program, key.point_type, balance.seq, balance.total, balance.debt,
                               balance.owed, balance.updated_at});
}

void write_balance_and_new_lot(const KeyArguments& key, const BalanceArguments& balance, const Lot& lot, int scale) {
    static AccountQuery query(
        " INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining, active_from, expires_at)"
        " SELECT $1, $2, $3, $9, $10, $11, $12, $13 FROM account",
        {TEXTOID, TEXTOID, TEXTOID, INT8OID, NUMERICOID, NUMERICOID, NUMERICOID, TIMESTAMPTZOID, INT8OID, NUMERICOID,
         NUMERICOID, TIMESTAMPTZOID, TIMESTAMPTZOID});
    query.run(balance.exists, {key.member, key.program, key.point_type, balance.seq, balance.total, balance.debt,
                               balance.owed, balance.updated_at, bigint_argument(lot.seq),
                               units_argument(lot.amount, scale), units_argument(lot.remaining, scale),
                               timestamp_argument(lot.active_from), timestamp_argument(lot.expires_at)});
}

// What changes beside the balance: lots that were there, and movements.
struct LotChanges {
    std::vector<std::int64_t> lots, remaining, held, movement_seqs, movement_lots, movement_values;

    explicit LotChanges(const Account& account) {
        for (const auto& lot : account.lots()) {
            if (!lot.changed || lot.is_new) continue;
            lots.push_back(lot.seq);
            remaining.push_back(lot.remaining);
            held.push_back(lot.held);
        }
        for (const auto& entry : account.entries()) {
            for (const auto& movement : entry.movements) {
                movement_seqs.push_back(entry.seq);
                movement_lots.push_back(movement.lot);
                movement_values.push_back(movement.value);
            }
        }
    }

    bool empty() const { return lots.empty() && movement_seqs.empty(); }
    bool is_of_one_lot() const { return lots.size() == 1 && movement_lots == lots; }
};

// Most redemptions take from one lot; without arrays they cost a third less.
void write_balance_and_lot(const KeyArguments& key, const BalanceArguments& balance, const LotChanges& changes,
                           int scale) {
    static AccountQuery query(
        ", lot AS ("
        "    UPDATE loyalty.lots SET remaining = $10, held = $11"
        "     WHERE member = $1 AND program = $2 AND point_type = $3 AND seq = $9)"
        " INSERT INTO loyalty.lot_movements (member, program, point_type, seq, lot, value)"
        " SELECT $1, $2, $3, $12, $9, $13 FROM account",
        {TEXTOID, TEXTOID, TEXTOID, INT8OID, NUMERICOID, NUMERICOID, NUMERICOID, TIMESTAMPTZOID, INT8OID, NUMERICOID,
         NUMERICOID, INT8OID, NUMERICOID});
    query.run(balance.exists,
              {key.member, key.program, key.point_type, balance.seq, balance.total, balance.debt, balance.owed,
               balance.updated_at, bigint_argument(changes.lots[0]), units_argument(changes.remaining[0], scale),
               units_argument(changes.held[0], scale), bigint_argument(changes.movement_seqs[0]),
               units_argument(changes.movement_values[0], scale)});
}

// ANY lets the index find the lots; the join alone may be planned as a look at all lots of the account.
void write_balance_and_lots(const KeyArguments& key, const BalanceArguments& balance, const LotChanges& changes,
                            int scale) {
    static AccountQuery query(
        ", lot AS ("
        "    UPDATE loyalty.lots l SET remaining = c.remaining, held = c.held"
        "      FROM (SELECT unnest($9::bigint[]) AS seq, unnest($10::numeric[]) AS remaining,"
        "          unnest($11::numeric[]) AS held) c"
        "     WHERE l.member = $1 AND l.program = $2 AND l.point_type = $3 AND l.seq = c.seq)"
        ", movement AS ("
        "    INSERT INTO loyalty.lot_movements (member, program, point_type, seq, lot, value)"
        "    SELECT $1, $2, $3, unnest($12::bigint[]), unnest($13::bigint[]), unnest($14::numeric[])) SELECT"
        "        FROM account",
        {TEXTOID, TEXTOID, TEXTOID, INT8OID, NUMERICOID, NUMERICOID, NUMERICOID, TIMESTAMPTZOID, INT8ARRAYOID,
         NUMERICARRAYOID, NUMERICARRAYOID, INT8ARRAYOID, INT8ARRAYOID, NUMERICARRAYOID});
    query.run(balance.exists,
              {key.member, key.program, key.point_type, balance.seq, balance.total, balance.debt, balance.owed,
               balance.updated_at, bigints_argument(changes.lots), units_array_argument(changes.remaining, scale),
               units_array_argument(changes.held, scale), bigints_argument(changes.movement_seqs),
               bigints_argument(changes.movement_lots), units_array_argument(changes.movement_values, scale)});
}

// Rows that the ledger adds by itself: what expired, and what was owed.
void write_own_entries(const KeyArguments& key, const Account& account, const std::vector<Uuid>& made_ids, int scale,
                       TimestampTz now, const std::optional<OwnRow>& own) {
    static Query query(
        "INSERT INTO loyalty.transactions (member, program, point_type, seq, id, type, value, balance_before,"
        "    balance_after,"
        "                                  owed, created_at, booked_at, lot, source_type)"
        " SELECT $1, $2, $3, e.seq, e.id, e.type, e.value, e.balance_before, e.balance_before + e.value, e.owed,"
        "     e.created_at, $4, e.lot,"
        "        e.source_type"
        "   FROM unnest($5::bigint[], $6::text[], $7::numeric[], $8::numeric[], $9::numeric[], $10::timestamptz[],"
        "       $11::bigint[], $12::text[],"
        "               $13::uuid[]) e (seq, type, value, balance_before, owed, created_at, lot, source_type, id)",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, INT8ARRAYOID, TEXTARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID,
         NUMERICARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID, TEXTARRAYOID, UUIDARRAYOID});
    std::vector<Uuid> ids;
    std::vector<std::int64_t> seqs, values, befores, owed;
    std::vector<TimestampTz> moments;
    std::vector<std::optional<std::int64_t>> lots;
    std::vector<std::optional<std::string>> types, sources;
    const auto& entries = account.entries();
    for (std::size_t i = 0; i < entries.size(); i++) {
        if (own && i == own->entry) continue;
        ids.push_back(made_ids[i]);
        seqs.push_back(entries[i].seq);
        types.emplace_back(name_of(entries[i].type));
        values.push_back(entries[i].value);
        befores.push_back(entries[i].before);
        owed.push_back(entries[i].owed);
        moments.push_back(entries[i].created_at);
        lots.push_back(entries[i].lot);
        sources.push_back(entries[i].source == Source::settlement ? std::optional<std::string>("settlement")
                                                                  : std::nullopt);
    }
    if (seqs.empty()) return;
    query.run({key.member, key.program, key.point_type, timestamp_argument(now), bigints_argument(seqs),
               optional_texts_argument(types), units_array_argument(values, scale),
               units_array_argument(befores, scale), units_array_argument(owed, scale), timestamps_argument(moments),
               optional_bigints_argument(lots), optional_texts_argument(sources), uuids_argument(ids)},
              true);
}

}  // namespace

void check_range(const Account& account, int scale) {
    if (account.total <= max_units && account.total >= -max_units && account.owed <= max_units) return;
    throw Error(sqlstate::points_overflow, "the balance would be too large", {},
                "A number of points has at most 18 digits, those after the point included; the point type has " +
                    std::to_string(scale) + " there.");
}

const char* name_of(Type type) {
    switch (type) {
        case Type::accrual:
            return "accrual";
        case Type::initial:
            return "initial";
        case Type::redemption:
            return "redemption";
        case Type::expiration:
            return "expiration";
        case Type::refund:
            return "refund";
        case Type::reversal:
            return "reversal";
        case Type::reset:
            return "reset";
    }
    return "";
}

void read_figures(ColumnsInTurn& column, int scale, Account& account) {
    account.seq = column.bigint();
    account.total = column.units(scale);
    account.debt = column.units(scale);
    account.owed = column.units(scale);
}

std::optional<Lot> read_lot(ColumnsInTurn& column, int scale) {
    const auto seq = column.optional_bigint();
    if (!seq) {
        column.skip(4);
        return std::nullopt;
    }
    Lot lot;
    lot.seq = *seq;
    lot.remaining = column.units(scale);
    lot.held = column.units(scale);
    lot.active_from = column.timestamp();
    lot.expires_at = column.timestamp();
    return lot;
}

void fail_damaged(const AccountKey& key, const std::string& detail) {
    throw Error(sqlstate::data_corrupted,
                "account \"" + key.point_type + "\" of member \"" + key.member + "\" in program \"" + key.program +
                    "\" is damaged",
                detail, "See SELECT * FROM loyalty_verify().");
}

std::vector<Movement> read_reserved(const KeyArguments& key, const Uuid& hold, int scale, Account& account) {
    static Query query(
        "SELECT l.seq, l.remaining, l.held, l.active_from, l.expires_at, reserved.amount"
        "  FROM loyalty.hold_lots reserved"
        "  LEFT JOIN loyalty.lots l"
        "       ON l.member = $1 AND l.program = $2 AND l.point_type = reserved.point_type AND l.seq = reserved.lot"
        " WHERE reserved.member = $1 AND reserved.program = $2 AND reserved.hold = $3"
        " ORDER BY l.expires_at, l.active_from, l.seq",
        {TEXTOID, TEXTOID, UUIDOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({key.member, key.program, uuid_argument(hold)});
    std::vector<Movement> reserved;
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn column(rows, row);
        const auto lot = read_lot(column, scale);
        if (!lot) throw ledger::Damage("A lot of which a hold has reserved points is not there.");
        reserved.push_back({lot->seq, column.units(scale)});
        account.add(*lot);
    }
    account.sort();
    return reserved;
}

void read_account(const KeyArguments& key, const AccountQuestion& question, AccountState& state) {
    const FreshSnapshot snapshot;
    Rows rows = run_read(key, question);
    if (rows.size() > 0 && rows.boolean(0, 1)) {
        end_timed_out_holds(key);
        const FreshSnapshot after_their_end;
        rows = run_read(key, question);
    }
    if (question.external_id) find_external_id(key, *question.external_id, state);
    const int scale = state.terms.scale;
    Account& account = state.account = Account();
    state.exists = rows.size() > 0;
    if (!state.exists) return;
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn column(rows, row, 2);
        if (const auto lot = read_lot(column, scale)) account.add(*lot);
        if (row == 0) read_figures(column, scale, account);
    }
    account.sort();
}

AccountState lock_account(const AccountKey& key, const KeyArguments& arguments, const AccountQuestion& question) {
    prepare_outbox();
    const auto removed = question.locked ? question.locked : lock_member(arguments);
    AccountState state;
    state.terms = ledger_terms(key.program, key.point_type);
    if (!removed) {
        throw Error(sqlstate::not_a_member, "\"" + key.member + "\" is no member of program \"" + key.program + "\"",
                    {}, "Enrol the member first; the key is the text of the profile's key.");
    }
    state.terms.member_removed = *removed;
    if (state.terms.qualifies) review_before_booking(key, arguments, question.now);
    read_account(arguments, question, state);
    return state;
}

Uuid write_account(const AccountKey& key, const KeyArguments& arguments, const AccountState& state, TimestampTz now,
                   const std::optional<OwnRow>& own) {
    const Account& account = state.account;
    const int scale = state.terms.scale;
    check_range(account, scale);
    const auto& lots = account.lots();
    const auto new_lot = std::find_if(lots.begin(), lots.end(), [](const Lot& lot) { return lot.is_new; });
    BalanceArguments balance(state, now);
    const LotChanges changes(account);
    if (new_lot != lots.end()) {
        write_balance_and_new_lot(arguments, balance, *new_lot, scale);
        balance.exists = true;
    }
    if (changes.is_of_one_lot()) {
        write_balance_and_lot(arguments, balance, changes, scale);
    } else if (!changes.empty()) {
        write_balance_and_lots(arguments, balance, changes, scale);
    } else if (new_lot == lots.end()) {
        write_balance(arguments, balance);
    }
    std::vector<Uuid> ids(account.entries().size());
    for (auto& id : ids) id = make_uuid();
    if (ids.size() > (own ? 1u : 0u)) write_own_entries(arguments, account, ids, scale, now, own);
    tell_booked(key, account, scale, ids, own);
    return own ? ids[own->entry] : Uuid{};
}

}  // namespace loyalty::pg

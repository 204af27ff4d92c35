#include "core/decimal.hpp"

#include <algorithm>

#include "pg/clock.hpp"
#include "pg/ledger_sql.hpp"
#include "pg/ledger_store.hpp"
#include "pg/tiers.hpp"

namespace loyalty::pg {

using namespace ledger;

namespace {

[[noreturn]] void fail_unknown(const AccountKey& key, const KeyArguments& arguments) {
    static Query query(
        "SELECT EXISTS (SELECT FROM loyalty.programs WHERE external_id = $1),"
        "       EXISTS (SELECT FROM loyalty.point_types WHERE program = $1 AND external_id = $2)",
        {TEXTOID, TEXTOID});
    const Rows rows = query.run({arguments.program, arguments.point_type}, true);
    if (!rows.boolean(0, 1)) {
        throw Error(sqlstate::unknown_program, "program \"" + key.program + "\" does not exist", {},
                    "Name one of loyalty.programs.");
    }
    if (!rows.boolean(0, 2)) {
        throw Error(sqlstate::unknown_point_type,
                    "point type \"" + key.point_type + "\" of program \"" + key.program + "\" does not exist", {},
                    "Name one of loyalty.point_types.");
    }
    throw Error(sqlstate::not_a_member, "\"" + key.member + "\" is no member of program \"" + key.program + "\"", {},
                "Enrol the member first; the key is the text of the profile's key.");
}

Rows run_read(const KeyArguments& key, const AccountQuestion& question) {
    static Query query(
        "SELECT b.seq, b.total, b.debt, b.owed,"
        "       (SELECT t.id FROM loyalty.transactions t WHERE t.member = $1 AND t.program = $2 AND t.external_id = $7),"
        "       (SELECT h.id FROM loyalty.holds h WHERE h.member = $1 AND h.program = $2 AND h.external_id = $7),"
        "       EXISTS (SELECT FROM loyalty.holds h"
        "                WHERE h.member = $1 AND h.program = $2 AND h.point_type = $3 AND h.state = 'open' AND h.expires_at <= $4),"
        "       l.seq, l.amount, l.remaining, l.held, l.active_from, l.expires_at"
        "  FROM (SELECT) one"
        "  LEFT JOIN loyalty.balances b ON b.member = $1 AND b.program = $2 AND b.point_type = $3"
        "  LEFT JOIN LATERAL ("
        "       SELECT seq, amount, remaining, held, active_from, expires_at FROM loyalty.lots"
        "        WHERE member = $1 AND program = $2 AND point_type = $3 AND open AND expires_at <= $5"
        "        ORDER BY expires_at, active_from, seq LIMIT $6) l ON true",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, TEXTOID});
    return query.run({key.member, key.program, key.point_type, timestamp_argument(wall_now()),
                      timestamp_argument(question.until), optional_bigint_argument(question.limit),
                      optional_text_argument(question.external_id)});
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
        "      JOIN loyalty.hold_lots reserved ON reserved.member = $1 AND reserved.program = $2 AND reserved.hold = ended.id"
        "     GROUP BY reserved.lot)"
        " UPDATE loyalty.lots l SET held = l.held - freed.amount FROM freed"
        "  WHERE l.member = $1 AND l.program = $2 AND l.point_type = $3 AND l.seq = freed.lot",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID});
    query.run({key.member, key.program, key.point_type, timestamp_argument(wall_now())}, true);
}

constexpr const char* upsert_balance =
    "INSERT INTO loyalty.balances (member, program, point_type, seq, total, debt, owed, updated_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    " ON CONFLICT (member, program, point_type) DO UPDATE"
    " SET seq = excluded.seq, total = excluded.total, debt = excluded.debt, owed = excluded.owed, updated_at = excluded.updated_at";

struct BalanceArguments {
    Argument seq, total, debt, owed, updated_at;

    BalanceArguments(const Account& account, int scale, TimestampTz now)
        : seq(bigint_argument(account.seq)),
          total(units_argument(account.total, scale)),
          debt(units_argument(account.debt, scale)),
          owed(units_argument(account.owed, scale)),
          updated_at(timestamp_argument(now)) {}
};

void write_balance(const KeyArguments& key, const BalanceArguments& balance) {
    static Query query(upsert_balance,
                       {TEXTOID, TEXTOID, TEXTOID, INT8OID, NUMERICOID, NUMERICOID, NUMERICOID, TIMESTAMPTZOID});
    query.run({key.member, key.program, key.point_type, balance.seq, balance.total, balance.debt, balance.owed,
               balance.updated_at},
              true);
}

void write_balance_and_new_lot(const KeyArguments& key, const BalanceArguments& balance, const Lot& lot, int scale) {
    static const std::string text =
        std::string("WITH account AS (") + upsert_balance +
        ")"
        " INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining, active_from, expires_at)"
        " VALUES ($1, $2, $3, $9, $10, $11, $12, $13)";
    static Query query(text.c_str(), {TEXTOID, TEXTOID, TEXTOID, INT8OID, NUMERICOID, NUMERICOID, NUMERICOID,
                                      TIMESTAMPTZOID, INT8OID, NUMERICOID, NUMERICOID, TIMESTAMPTZOID, TIMESTAMPTZOID});
    query.run(
        {key.member, key.program, key.point_type, balance.seq, balance.total, balance.debt, balance.owed,
         balance.updated_at, bigint_argument(lot.seq), units_argument(lot.amount, scale),
         units_argument(lot.remaining, scale), timestamp_argument(lot.active_from), timestamp_argument(lot.expires_at)},
        true);
}

// Changed lots and movements, as arrays.
struct LotArguments {
    Argument seqs, remaining, held, movement_seqs, movement_lots, movement_values;
    bool empty = true;

    LotArguments(const Account& account, int scale) {
        std::vector<std::int64_t> lot_seqs, lot_remaining, lot_held, entry_seqs, entry_lots, entry_values;
        for (const auto& lot : account.lots()) {
            if (!lot.changed || lot.is_new) continue;
            lot_seqs.push_back(lot.seq);
            lot_remaining.push_back(lot.remaining);
            lot_held.push_back(lot.held);
        }
        for (const auto& entry : account.entries()) {
            for (const auto& movement : entry.movements) {
                entry_seqs.push_back(entry.seq);
                entry_lots.push_back(movement.lot);
                entry_values.push_back(movement.value);
            }
        }
        empty = lot_seqs.empty() && entry_seqs.empty();
        if (empty) return;
        seqs = bigints_argument(lot_seqs);
        remaining = units_array_argument(lot_remaining, scale);
        held = units_array_argument(lot_held, scale);
        movement_seqs = bigints_argument(entry_seqs);
        movement_lots = bigints_argument(entry_lots);
        movement_values = units_array_argument(entry_values, scale);
    }
};

// ANY lets the index find the lots; the join alone may be planned as a look at all lots of the account.
constexpr const char* update_lots =
    "UPDATE loyalty.lots l SET remaining = c.remaining, held = c.held"
    "  FROM unnest($4::bigint[], $5::numeric[], $6::numeric[]) c (seq, remaining, held)"
    " WHERE l.member = $1 AND l.program = $2 AND l.point_type = $3 AND l.seq = ANY ($4) AND l.seq = c.seq";
constexpr const char* insert_movements =
    "INSERT INTO loyalty.lot_movements (member, program, point_type, seq, lot, value)"
    " SELECT $1, $2, $3, m.seq, m.lot, m.value FROM unnest($7::bigint[], $8::bigint[], $9::numeric[]) m (seq, lot, value)";

void write_lots(const KeyArguments& key, const LotArguments& lots) {
    static const std::string text = std::string("WITH changed AS (") + update_lots + ") " + insert_movements;
    static Query query(text.c_str(), {TEXTOID, TEXTOID, TEXTOID, INT8ARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID,
                                      INT8ARRAYOID, INT8ARRAYOID, NUMERICARRAYOID});
    query.run({key.member, key.program, key.point_type, lots.seqs, lots.remaining, lots.held, lots.movement_seqs,
               lots.movement_lots, lots.movement_values},
              true);
}

void write_balance_and_lots(const KeyArguments& key, const BalanceArguments& balance, const LotArguments& lots) {
    static const std::string text =
        std::string("WITH changed AS (") + update_lots +
        "), account AS ("
        "    INSERT INTO loyalty.balances (member, program, point_type, seq, total, debt, owed, updated_at)"
        "    VALUES ($1, $2, $3, $10, $11, $12, $13, $14)"
        "    ON CONFLICT (member, program, point_type) DO UPDATE"
        "    SET seq = excluded.seq, total = excluded.total, debt = excluded.debt, owed = excluded.owed, updated_at = excluded.updated_at"
        ") " +
        insert_movements;
    static Query query(text.c_str(),
                       {TEXTOID, TEXTOID, TEXTOID, INT8ARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, INT8ARRAYOID,
                        INT8ARRAYOID, NUMERICARRAYOID, INT8OID, NUMERICOID, NUMERICOID, NUMERICOID, TIMESTAMPTZOID});
    query.run({key.member, key.program, key.point_type, lots.seqs, lots.remaining, lots.held, lots.movement_seqs,
               lots.movement_lots, lots.movement_values, balance.seq, balance.total, balance.debt, balance.owed,
               balance.updated_at},
              true);
}

// Rows that the ledger adds by itself: what expired, and what was owed.
void write_own_entries(const KeyArguments& key, const Account& account, const std::vector<Uuid>& made_ids, int scale,
                       TimestampTz now, std::optional<std::size_t> own) {
    static Query query(
        "INSERT INTO loyalty.transactions (member, program, point_type, seq, id, type, value, balance_before, balance_after,"
        "                                  owed, created_at, booked_at, lot, source_type)"
        " SELECT $1, $2, $3, e.seq, e.id, e.type, e.value, e.balance_before, e.balance_before + e.value, e.owed, e.created_at, $4, e.lot,"
        "        e.source_type"
        "   FROM unnest($5::bigint[], $6::text[], $7::numeric[], $8::numeric[], $9::numeric[], $10::timestamptz[], $11::bigint[], $12::text[],"
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
        if (i == own) continue;
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

void check_range(const Account& account, int scale) {
    if (account.total <= max_units && account.total >= -max_units && account.owed <= max_units) return;
    throw Error(sqlstate::points_overflow, "the balance would be too large", {},
                "A number of points has at most 18 digits, those after the point included; the point type has " +
                    std::to_string(scale) + " there.");
}

}  // namespace

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

Terms lock_account(const AccountKey& key, const KeyArguments& arguments, TimestampTz now, TimestampTz active_from) {
    static Query query(
        "SELECT p.active, p.negative_balance_allowed, t.scale::integer,"
        "       t.active AND (t.deactivates_at IS NULL OR t.deactivates_at > $4), t.refund_allowed, m.removed_at IS NOT NULL,"
        "       " LOYALTY_EXPIRES_AT("$5") ","
        "       t.kind = 'qualification',"
        "       EXISTS (SELECT FROM loyalty.tier_groups g WHERE g.program = $2 AND g.model = 'dynamic')"
        "  FROM loyalty.members m"
        "  JOIN loyalty.programs p ON p.external_id = m.program"
        "  JOIN loyalty.point_types t ON t.program = m.program AND t.external_id = $3"
        " WHERE m.member = $1 AND m.program = $2"
        "   FOR NO KEY UPDATE OF m",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID});
    const Rows rows = query.run({arguments.member, arguments.program, arguments.point_type, timestamp_argument(now),
                                 timestamp_argument(active_from)},
                                true);
    if (rows.size() == 0) fail_unknown(key, arguments);
    Terms terms;
    terms.program_active = rows.boolean(0, 1);
    terms.debt_allowed = rows.boolean(0, 2);
    terms.scale = rows.integer(0, 3);
    terms.type_usable = rows.boolean(0, 4);
    terms.refund_allowed = rows.boolean(0, 5);
    terms.member_removed = rows.boolean(0, 6);
    terms.expires_at = timestamp_at(rows, 0, 7);
    terms.qualifies = rows.boolean(0, 8);
    terms.judges_dynamic = rows.boolean(0, 9);
    if (terms.qualifies) review_before_booking(key, arguments, now);
    return terms;
}

void add_lots(Account& account, const Rows& rows, int first_column, int scale) {
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        if (rows.is_null(row, first_column)) continue;
        Lot lot;
        lot.seq = bigint_at(rows, row, first_column);
        lot.amount = units_at(rows, row, first_column + 1, scale);
        lot.remaining = units_at(rows, row, first_column + 2, scale);
        lot.held = units_at(rows, row, first_column + 3, scale);
        lot.active_from = timestamp_at(rows, row, first_column + 4);
        lot.expires_at = timestamp_at(rows, row, first_column + 5);
        account.add(lot);
    }
}

std::vector<Movement> read_reserved(const KeyArguments& key, const Uuid& hold, int scale, Account& account) {
    static Query query(
        "SELECT l.seq, l.amount, l.remaining, l.held, l.active_from, l.expires_at, reserved.amount"
        "  FROM loyalty.hold_lots reserved"
        "  JOIN loyalty.lots l ON l.member = $1 AND l.program = $2 AND l.point_type = reserved.point_type AND l.seq = reserved.lot"
        " WHERE reserved.member = $1 AND reserved.program = $2 AND reserved.hold = $3"
        " ORDER BY l.expires_at, l.active_from, l.seq",
        {TEXTOID, TEXTOID, UUIDOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({key.member, key.program, uuid_argument(hold)});
    std::vector<Movement> reserved;
    for (std::uint64_t row = 0; row < rows.size(); row++)
        reserved.push_back({bigint_at(rows, row, 1), units_at(rows, row, 7, scale)});
    add_lots(account, rows, 1, scale);
    account.sort();
    return reserved;
}

AccountState read_account(const KeyArguments& key, const AccountQuestion& question) {
    const FreshSnapshot snapshot;
    Rows rows = run_read(key, question);
    if (rows.boolean(0, 7)) {
        end_timed_out_holds(key);
        const FreshSnapshot after_their_end;
        rows = run_read(key, question);
    }
    AccountState state;
    Account& account = state.account;
    if (!rows.is_null(0, 1)) {
        account.seq = bigint_at(rows, 0, 1);
        account.total = units_at(rows, 0, 2, question.scale);
        account.debt = units_at(rows, 0, 3, question.scale);
        account.owed = units_at(rows, 0, 4, question.scale);
    }
    if (!rows.is_null(0, 5)) state.transaction = uuid_of(rows.datum(0, 5));
    if (!rows.is_null(0, 6)) state.hold = uuid_of(rows.datum(0, 6));
    add_lots(account, rows, 8, question.scale);
    account.sort();
    return state;
}

Uuid write_account(const KeyArguments& key, const Account& account, int scale, TimestampTz now,
                   std::optional<std::size_t> own) {
    check_range(account, scale);
    const auto& lots = account.lots();
    const auto new_lot = std::find_if(lots.begin(), lots.end(), [](const Lot& lot) { return lot.is_new; });
    const BalanceArguments balance(account, scale, now);
    const LotArguments changed(account, scale);
    if (new_lot != lots.end()) {
        write_balance_and_new_lot(key, balance, *new_lot, scale);
        if (!changed.empty) write_lots(key, changed);
    } else if (!changed.empty) {
        write_balance_and_lots(key, balance, changed);
    } else {
        write_balance(key, balance);
    }
    std::vector<Uuid> ids(account.entries().size());
    for (auto& id : ids) id = make_uuid();
    if (ids.size() > (own ? 1u : 0u)) write_own_entries(key, account, ids, scale, now, own);
    return own ? ids[*own] : Uuid{};
}

}  // namespace loyalty::pg

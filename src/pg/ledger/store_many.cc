#include "pg/ledger/store_many.hpp"

#include <map>
#include <set>

#include "pg/ledger/events.hpp"
#include "pg/ledger/named.hpp"
#include "pg/server/clock.hpp"

namespace loyalty::pg {

using namespace ledger;

namespace {

// How many lots of an account are read for a redemption at first; most need one or two of what may be thousands.
constexpr std::int64_t first_lots = 4;

// ---------------------------------------------------------------------------------------------------------------------
// Reading

// Credits meet only the lots that are due, redemptions so many of the soonest-expiring; the number of the account comes
// first.
Rows run_read(const std::string& program, const std::vector<ManyAccount*>& accounts, std::int64_t factor,
              TimestampTz now, TimestampTz wall) {
    static Query query(
        "SELECT k.number::integer, l.seq, l.remaining, l.held, l.active_from, l.expires_at, b.seq, b.total, b.debt,"
        "    b.owed,"
        "       EXISTS (SELECT FROM loyalty.holds h"
        "                WHERE h.member = k.member AND h.program = $1 AND h.point_type = k.point_type"
        "                  AND h.state = 'open' AND h.expires_at <= $2)"
        "  FROM unnest($3::text[], $4::text[], $5::timestamptz[], $6::bigint[]) WITH ORDINALITY"
        "       k (member, point_type, until, lots, number)"
        "  JOIN loyalty.balances b ON b.member = k.member AND b.program = $1 AND b.point_type = k.point_type"
        "  LEFT JOIN LATERAL ("
        "       SELECT o.seq, o.remaining, o.held, o.active_from, o.expires_at FROM loyalty.lots o"
        "        WHERE o.member = k.member AND o.program = $1 AND o.point_type = k.point_type AND o.open"
        "          AND o.expires_at <= k.until"
        "        ORDER BY o.expires_at, o.active_from, o.seq LIMIT k.lots) l ON true",
        {TEXTOID, TIMESTAMPTZOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID});
    std::vector<std::string> members, point_types;
    std::vector<TimestampTz> until;
    std::vector<std::optional<std::int64_t>> limits;
    for (const ManyAccount* account : accounts) {
        members.push_back(account->key.member);
        point_types.push_back(account->key.point_type);
        until.push_back(account->redemptions > 0 ? DT_NOEND : now);
        limits.push_back(account->redemptions > 0 ? std::optional(first_lots * account->redemptions * factor)
                                                  : std::nullopt);
    }
    return query.run({text_argument(program), timestamp_argument(wall), texts_argument(members),
                      texts_argument(point_types), timestamps_argument(until), optional_bigints_argument(limits)});
}

void take_account(ManyAccount& account, ColumnsInTurn& column) {
    account.state.exists = true;
    read_figures(column, account.state.terms.scale, account.state.account);
    account.has_timed_out_holds = column.boolean();
    column.end();
}

// ---------------------------------------------------------------------------------------------------------------------
// Writing

// Figures of accounts whose types have scales of their own.
struct Figures {
    std::vector<Datum> values;

    void add(Units units, int scale) { values.push_back(numeric_datum(units, scale)); }
    Argument argument() const { return numerics_argument(values); }
};

struct AccountColumns {
    std::vector<std::string> members, point_types;

    void add(const AccountKey& key) {
        members.push_back(key.member);
        point_types.push_back(key.point_type);
    }
};

struct Balances : AccountColumns {
    std::vector<std::int64_t> seqs;
    Figures total, debt, owed;

    void add(const ManyAccount& account) {
        const Account& of = account.state.account;
        const int scale = account.state.terms.scale;
        AccountColumns::add(account.key);
        seqs.push_back(of.seq);
        total.add(of.total, scale);
        debt.add(of.debt, scale);
        owed.add(of.owed, scale);
    }
};

void update_balances(const std::string& program, const Balances& balances, TimestampTz now) {
    static Query query(
        "UPDATE loyalty.balances b SET seq = c.seq, total = c.total, debt = c.debt, owed = c.owed, updated_at = $2"
        "  FROM unnest($3::text[], $4::text[], $5::bigint[], $6::numeric[], $7::numeric[], $8::numeric[])"
        "       c (member, point_type, seq, total, debt, owed)"
        " WHERE b.member = c.member AND b.program = $1 AND b.point_type = c.point_type",
        {TEXTOID, TIMESTAMPTZOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID,
         NUMERICARRAYOID},
        {"balances_member_fkey", "balances_point_type_fkey"});
    if (balances.members.empty()) return;
    const Rows rows =
        query.run_proven({text_argument(program), timestamp_argument(now), texts_argument(balances.members),
                          texts_argument(balances.point_types), bigints_argument(balances.seqs),
                          balances.total.argument(), balances.debt.argument(), balances.owed.argument()});
    // Under an old snapshot a row that was read may not be found; then nothing is written.
    if (rows.size() == balances.members.size()) return;
    throw Error("40001", "could not serialize access due to concurrent update");
}

void insert_balances(const std::string& program, const Balances& balances, TimestampTz now, bool proven) {
    static Query query(
        "INSERT INTO loyalty.balances (member, program, point_type, seq, total, debt, owed, updated_at)"
        " SELECT c.member, $1, c.point_type, c.seq, c.total, c.debt, c.owed, $2"
        "   FROM unnest($3::text[], $4::text[], $5::bigint[], $6::numeric[], $7::numeric[], $8::numeric[])"
        "        c (member, point_type, seq, total, debt, owed)",
        {TEXTOID, TIMESTAMPTZOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID,
         NUMERICARRAYOID},
        {"balances_member_fkey", "balances_point_type_fkey"});
    if (balances.members.empty()) return;
    const std::initializer_list<Argument> rows = {
        text_argument(program),           timestamp_argument(now),
        texts_argument(balances.members), texts_argument(balances.point_types),
        bigints_argument(balances.seqs),  balances.total.argument(),
        balances.debt.argument(),         balances.owed.argument()};
    proven ? query.run_proven(rows) : query.run(rows, true);
}

struct NewLots : AccountColumns {
    std::vector<std::int64_t> seqs;
    Figures amounts, remaining;
    std::vector<TimestampTz> active_from, expires_at;

    void add(const ManyAccount& account, const Lot& lot) {
        const int scale = account.state.terms.scale;
        AccountColumns::add(account.key);
        seqs.push_back(lot.seq);
        amounts.add(lot.amount, scale);
        remaining.add(lot.remaining, scale);
        active_from.push_back(lot.active_from);
        expires_at.push_back(lot.expires_at);
    }

    void insert(const std::string& program) const {
        static Query query(
            "INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining, active_from, expires_at)"
            " SELECT l.member, $1, l.point_type, l.seq, l.amount, l.remaining, l.active_from, l.expires_at"
            "   FROM unnest($2::text[], $3::text[], $4::bigint[], $5::numeric[], $6::numeric[], $7::timestamptz[],"
            "       $8::timestamptz[])"
            "        l (member, point_type, seq, amount, remaining, active_from, expires_at)",
            {TEXTOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, TIMESTAMPTZARRAYOID,
             TIMESTAMPTZARRAYOID});
        if (seqs.empty()) return;
        query.run({text_argument(program), texts_argument(members), texts_argument(point_types), bigints_argument(seqs),
                   amounts.argument(), remaining.argument(), timestamps_argument(active_from),
                   timestamps_argument(expires_at)},
                  true);
    }
};

struct ChangedLots : AccountColumns {
    std::vector<std::int64_t> seqs;
    Figures remaining, held;

    void add(const ManyAccount& account, const Lot& lot) {
        AccountColumns::add(account.key);
        seqs.push_back(lot.seq);
        remaining.add(lot.remaining, account.state.terms.scale);
        held.add(lot.held, account.state.terms.scale);
    }

    void update(const std::string& program) const {
        static Query query(
            "UPDATE loyalty.lots l SET remaining = c.remaining, held = c.held"
            "  FROM unnest($2::text[], $3::text[], $4::bigint[], $5::numeric[], $6::numeric[])"
            "       c (member, point_type, seq, remaining, held)"
            " WHERE l.member = c.member AND l.program = $1 AND l.point_type = c.point_type AND l.seq = c.seq",
            {TEXTOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID});
        if (seqs.empty()) return;
        query.run({text_argument(program), texts_argument(members), texts_argument(point_types), bigints_argument(seqs),
                   remaining.argument(), held.argument()},
                  true);
    }
};

struct Movements : AccountColumns {
    std::vector<std::int64_t> seqs, lots;
    Figures values;

    void add(const ManyAccount& account, std::int64_t seq, const Movement& movement) {
        AccountColumns::add(account.key);
        seqs.push_back(seq);
        lots.push_back(movement.lot);
        values.add(movement.value, account.state.terms.scale);
    }

    void insert(const std::string& program) const {
        static Query query(
            "INSERT INTO loyalty.lot_movements (member, program, point_type, seq, lot, value)"
            " SELECT m.member, $1, m.point_type, m.seq, m.lot, m.value"
            "   FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::numeric[])"
            "        m (member, point_type, seq, lot, value)",
            {TEXTOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, NUMERICARRAYOID});
        if (seqs.empty()) return;
        query.run({text_argument(program), texts_argument(members), texts_argument(point_types), bigints_argument(seqs),
                   bigints_argument(lots), values.argument()},
                  true);
    }
};

// Rows of the ledger with their figures, which its trigger takes as they stand.
struct LedgerRows : AccountColumns {
    std::vector<std::int64_t> seqs;
    std::vector<Uuid> ids;
    std::vector<std::optional<std::string>> external_ids, types, source_types, sources, promotions, comments;
    Figures values, before, debt, owed, lapsed;
    std::vector<TimestampTz> created_at;
    std::vector<std::optional<TimestampTz>> active_from, expires_at;
    std::vector<std::optional<std::int64_t>> undoes, lots;
    std::vector<std::optional<Datum>> data;

    void add(const AccountKey& key, const Entry& entry, int scale, const Uuid& id, const Posting* posting,
             const Booking* booking) {
        AccountColumns::add(key);
        seqs.push_back(entry.seq);
        ids.push_back(id);
        types.emplace_back(name_of(entry.type));
        values.add(entry.value, scale);
        before.add(entry.before, scale);
        debt.add(entry.debt, scale);
        owed.add(entry.owed, scale);
        lapsed.add(entry.lapsed, scale);
        created_at.push_back(entry.created_at);
        lots.push_back(entry.lot);
        active_from.push_back(booking ? booking->active_from : std::nullopt);
        expires_at.push_back(booking ? booking->expires_at : std::nullopt);
        if (posting) return add_posting(*posting);
        add_posting(Posting());
        if (entry.source == Source::settlement) source_types.back() = "settlement";
    }

    // Returns whether all arrived: a trigger of the owner's may drop rows.
    void insert(const std::string& program, TimestampTz now, bool proven) const {
        static Query query(
            "INSERT INTO loyalty.transactions (member, program, point_type, seq, id, external_id, type, value,"
            "    balance_before,"
            "                                  balance_after, debt, owed, lapsed, created_at, booked_at, active_from,"
            "                                      expires_at,"
            "                                  undoes, lot, source_type, source, promotion, comment, data)"
            " SELECT e.member, $1, e.point_type, e.seq, e.id, e.external_id, e.type, e.value, e.balance_before,"
            "        e.balance_before + e.value, e.debt, e.owed, e.lapsed, e.created_at, $2, e.active_from,"
            "            e.expires_at, e.undoes,"
            "        e.lot, e.source_type, e.source, e.promotion, e.comment, e.data"
            "   FROM unnest($3::text[], $4::text[], $5::bigint[], $6::uuid[], $7::text[], $8::text[], $9::numeric[],"
            "       $10::numeric[],"
            "               $11::numeric[], $12::numeric[], $13::numeric[], $14::timestamptz[], $15::timestamptz[],"
            "                   $16::timestamptz[],"
            "               $17::bigint[], $18::bigint[], $19::text[], $20::text[], $21::text[], $22::text[],"
            "                   $23::jsonb[])"
            "        e (member, point_type, seq, id, external_id, type, value, balance_before, debt, owed, lapsed,"
            "            created_at,"
            "           active_from, expires_at, undoes, lot, source_type, source, promotion, comment, data)",
            {TEXTOID,         TIMESTAMPTZOID,      TEXTARRAYOID,        TEXTARRAYOID,
             INT8ARRAYOID,    UUIDARRAYOID,        TEXTARRAYOID,        TEXTARRAYOID,
             NUMERICARRAYOID, NUMERICARRAYOID,     NUMERICARRAYOID,     NUMERICARRAYOID,
             NUMERICARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID,
             INT8ARRAYOID,    INT8ARRAYOID,        TEXTARRAYOID,        TEXTARRAYOID,
             TEXTARRAYOID,    TEXTARRAYOID,        JSONBARRAYOID},
            {"transactions_promotion_fkey"});
        if (seqs.empty()) return;
        const std::initializer_list<Argument> rows = {text_argument(program),
                                                      timestamp_argument(now),
                                                      texts_argument(members),
                                                      texts_argument(point_types),
                                                      bigints_argument(seqs),
                                                      uuids_argument(ids),
                                                      optional_texts_argument(external_ids),
                                                      optional_texts_argument(types),
                                                      values.argument(),
                                                      before.argument(),
                                                      debt.argument(),
                                                      owed.argument(),
                                                      lapsed.argument(),
                                                      timestamps_argument(created_at),
                                                      optional_timestamps_argument(active_from),
                                                      optional_timestamps_argument(expires_at),
                                                      optional_bigints_argument(undoes),
                                                      optional_bigints_argument(lots),
                                                      optional_texts_argument(source_types),
                                                      optional_texts_argument(sources),
                                                      optional_texts_argument(promotions),
                                                      optional_texts_argument(comments),
                                                      optional_jsonbs_argument(data)};
        const Rows arrived = proven ? query.run_proven(rows) : query.run(rows, true);
        if (arrived.size() == seqs.size()) return;
        throw Error(sqlstate::row_did_not_arrive,
                    "a transaction was booked, but its row did not arrive as it was booked", {},
                    "A trigger of your own on loyalty.transactions dropped it.");
    }

private:
    void add_posting(const Posting& posting) {
        external_ids.push_back(posting.external_id);
        undoes.push_back(posting.undoes);
        source_types.push_back(posting.source_type);
        sources.push_back(posting.source);
        promotions.push_back(posting.promotion);
        comments.push_back(posting.comment);
        data.push_back(posting.data);
    }
};

// All that is written of many accounts, table by table.
struct Written {
    Balances changed, fresh;
    NewLots new_lots;
    ChangedLots changed_lots;
    Movements movements;
    LedgerRows rows;
    // By member and id: a member's events come in the order in which the member's accounts were booked on.
    std::map<std::pair<std::string, Uuid>, Event> events;
    std::set<std::string> promotions, point_types;

    void add(const ManyAccount& account) {
        check_range(account.state.account, account.state.terms.scale);
        (account.state.exists ? changed : fresh).add(account);
        point_types.insert(account.key.point_type);
        for (const auto& lot : account.state.account.lots()) {
            if (lot.is_new) {
                new_lots.add(account, lot);
            } else if (lot.changed) {
                changed_lots.add(account, lot);
            }
        }
        auto own = account.own.begin();
        for (std::size_t i = 0; i < account.ids.size(); i++) {
            const bool is_own = own != account.own.end() && own->decision.entry == i;
            add_entry(account, i, is_own ? &*own : nullptr);
            if (is_own) ++own;
        }
    }

private:
    void add_entry(const ManyAccount& account, std::size_t i, const ManyAccount::Own* own) {
        const Entry& entry = account.state.account.entries()[i];
        const int scale = account.state.terms.scale;
        for (const auto& movement : entry.movements) movements.add(account, entry.seq, movement);
        rows.add(account.key, entry, scale, account.ids[i], own ? own->posting : nullptr,
                 own ? &own->decision.booking : nullptr);
        std::optional<OwnRow> shown;
        if (own) {
            shown = OwnRow{i, own->posting->source_type, own->posting->source, own->posting->promotion};
            if (own->posting->promotion) promotions.insert(*own->posting->promotion);
        }
        events.emplace(std::pair(account.key.member, account.ids[i]),
                       booked_event(account.key, entry, scale, account.ids[i], shown ? &*shown : nullptr));
    }
};

void tell(const std::string& program, const Written& written) {
    std::vector<std::string> profiles;
    std::vector<Event> events;
    for (const auto& [place, event] : written.events) {
        profiles.push_back(place.first);
        events.push_back(event);
    }
    add_events_of_many(program, profiles, events);
}

}  // namespace

void read_accounts(const std::string& program, std::vector<ManyAccount*>& accounts, TimestampTz now) {
    const TimestampTz wall = wall_now();
    std::vector<ManyAccount*> to_read = accounts;
    for (std::int64_t factor = 1; !to_read.empty(); factor *= 16) {
        const FreshSnapshot snapshot;
        const Rows rows = run_read(program, to_read, factor, now, wall);
        std::vector<std::int64_t> lots(to_read.size());
        for (ManyAccount* account : to_read) account->state.account = Account();
        for (std::uint64_t row = 0; row < rows.size(); row++) {
            ColumnsInTurn column(rows, row);
            const auto number = static_cast<std::size_t>(column.integer() - 1);
            ManyAccount& account = *to_read[number];
            const auto lot = read_lot(column, account.state.terms.scale);
            if (lots[number] == 0) take_account(account, column);
            if (!lot) continue;
            lots[number]++;
            account.state.account.add(*lot);
        }
        std::vector<ManyAccount*> more;
        for (std::size_t i = 0; i < to_read.size(); i++) {
            ManyAccount& account = *to_read[i];
            account.state.account.sort();
            if (account.redemptions > 0 && lots[i] >= first_lots * account.redemptions * factor &&
                account.state.account.active(now) < account.to_spend)
                more.push_back(&account);
        }
        to_read = std::move(more);
    }
}

void write_accounts(const std::string& program, const std::vector<const ManyAccount*>& accounts, TimestampTz now) {
    Written written;
    for (const ManyAccount* account : accounts) {
        if (!account->own.empty()) written.add(*account);
    }
    if (written.events.empty()) return;
    const bool proven = lock_named(program, written.promotions, written.point_types);
    update_balances(program, written.changed, now);
    insert_balances(program, written.fresh, now, proven);
    written.new_lots.insert(program);
    written.changed_lots.update(program);
    written.movements.insert(program);
    written.rows.insert(program, now, proven);
    tell(program, written);
}

void insert_row(const Posting& posting, const Booking& booking) {
    LedgerRows row;
    row.add(posting.key, booking.entry, booking.scale, booking.id, &posting, &booking);
    row.insert(posting.key.program, booking.booked_at, false);
}

}  // namespace loyalty::pg

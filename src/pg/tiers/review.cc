// Reviews: what the calendar has due for members of a group is read, worked out, and written.
#include <algorithm>

#include "pg/ledger/events.hpp"
#include "pg/members/periods.hpp"
#include "pg/members/sql.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/keeping.hpp"
#include "pg/tiers/tiers.hpp"

namespace loyalty::pg {

using namespace tiers;

namespace {

// A member of the group, with all that its review needs.
struct Candidate {
    std::string member;
    Standing standing;
    std::optional<std::string> tier;  // as stored
    std::int64_t seq = 0;
    Units points = 0;
    TimestampTz since = 0, due_at = DT_NOEND, review_at = DT_NOEND, reset_at = DT_NOEND;
    std::optional<TimestampTz> member_from;  // none: was removed
    std::optional<std::string> given_reason;
    ledger::Account account;
    std::vector<PeriodEnd> reviews, resets;
};

std::vector<PeriodEnd> period_ends(ColumnsInTurn& column) {
    const auto ends = column.timestamps(), month_ends = column.timestamps();
    std::vector<PeriodEnd> found;
    for (std::size_t i = 0; i < ends.size(); i++) found.push_back({ends[i], month_ends[i]});
    return found;
}

void read_account(ColumnsInTurn& column, int scale, ledger::Account& account) {
    read_figures(column, scale, account);
    const auto seqs = column.bigints(), amounts = column.bigints(), remaining = column.bigints(),
               held = column.bigints();
    const auto active_from = column.timestamps(), expires_at = column.timestamps();
    for (std::size_t i = 0; i < seqs.size(); i++) {
        ledger::Lot lot;
        lot.seq = seqs[i];
        lot.amount = amounts[i];
        lot.remaining = remaining[i];
        lot.held = held[i];
        lot.active_from = active_from[i];
        lot.expires_at = expires_at[i];
        account.add(lot);
    }
    account.sort();
}

// Ends of periods come with the ends of the months in which their last days lie, as arrays. Lots of a cumulative group
// play no part, and a group that resets its points at each review has one calendar for both.
std::vector<Candidate> read_candidates(const TierGroup& group, const std::vector<std::string>& members,
                                       TimestampTz until, Sees sees) {
    static Query query(
        "SELECT m.member, s.tier, " + standing_columns + ", s.given_reason,"
        "       s.since, s.seq, s.points, s.due_at,"
        "       CASE WHEN m.removed_at IS NULL THEN m.enrolled_at END,"
        "       review.at, review.month_end, coalesce(reset.at, review.at),"
        "           coalesce(reset.month_end, review.month_end),"
        "       coalesce(b.seq, 0), coalesce(b.total, 0), coalesce(b.debt, 0), coalesce(b.owed, 0),"
        "       l.seqs, l.amounts, l.remaining, l.held, l.active_from, l.expires_at"
        "  FROM unnest($2::text[]) k (member)"
        " CROSS JOIN " + each_member + " m"
        "  JOIN loyalty.programs p ON p.external_id = m.program"
        "  JOIN loyalty.tier_groups g ON g.program = m.program AND g.external_id = $4"
        " CROSS JOIN LATERAL (SELECT * FROM loyalty.member_tiers x"
        "                      WHERE x.member = m.member AND x.program = $1 AND x.tier_group = $4 OFFSET 0) s"
        "  LEFT JOIN LATERAL (SELECT * FROM loyalty.balances x"
        "                      WHERE x.member = m.member AND x.program = $1 AND x.point_type = g.point_type OFFSET 0) b"
        "       ON true"
        "  LEFT JOIN LATERAL ("
        "       SELECT array_agg(e.at ORDER BY e.at) AS at,"
        "              array_agg(loyalty_internal.month_end(e.at, p.time_zone) ORDER BY e.at) AS month_end"
        "         FROM loyalty_internal.period_ends("
        "              s.review_at, $3, m.registered_at, g.interval_count, g.interval_unit, p.time_zone) e"
        "        WHERE e.at >= s.review_at) review ON g.model = 'cyclic'"
        "  LEFT JOIN LATERAL ("
        "       SELECT array_agg(e.at ORDER BY e.at) AS at,"
        "              array_agg(loyalty_internal.month_end(e.at, p.time_zone) ORDER BY e.at) AS month_end"
        "         FROM loyalty_internal.period_ends("
        "              s.reset_at, $3, m.registered_at, g.reset_count, g.reset_unit, p.time_zone) e"
        "        WHERE e.at >= s.reset_at) reset ON g.reset_count IS NOT NULL"
        "  LEFT JOIN LATERAL ("
        "       SELECT array_agg(x.seq) AS seqs, array_agg((x.amount * power(10::numeric, $5))::bigint) AS amounts,"
        "              array_agg((x.remaining * power(10::numeric, $5))::bigint) AS remaining,"
        "              array_agg((x.held * power(10::numeric, $5))::bigint) AS held,"
        "              array_agg(x.active_from) AS active_from, array_agg(x.expires_at) AS expires_at"
        "         FROM loyalty.lots x"
        "        WHERE x.member = m.member AND x.program = m.program AND x.point_type = b.point_type AND x.open) l"
        "            ON g.model = 'cyclic'"
        " ORDER BY m.member",
        {TEXTOID, TEXTARRAYOID, TIMESTAMPTZOID, TEXTOID, INT4OID});
    std::optional<FreshSnapshot> snapshot;
    if (sees == Sees::newest) snapshot.emplace();
    const Rows rows =
        query.run_for(members.size(), {text_argument(group.program), texts_argument(members), timestamp_argument(until),
                                       text_argument(group.id), integer_argument(group.scale)});
    std::vector<Candidate> candidates(rows.size());
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        Candidate& candidate = candidates[row];
        ColumnsInTurn column(rows, row);
        candidate.member = column.text();
        candidate.tier = column.optional_text();
        candidate.standing = read_standing(column, group);
        candidate.given_reason = column.optional_text();
        candidate.since = column.timestamp();
        candidate.seq = column.bigint();
        candidate.points = column.units(group.scale);
        candidate.due_at = column.timestamp();
        candidate.member_from = column.optional_timestamp();
        candidate.reviews = period_ends(column);
        candidate.resets = period_ends(column);
        read_account(column, group.scale, candidate.account);
        column.end();
    }
    return candidates;
}

// Works a candidate out up to the moment, and returns what has changed.
std::vector<Change> work_out(const TierGroup& group, Candidate& candidate, TimestampTz until, Cause cause) {
    if (group.model->for_life) {
        const Rank current = candidate.standing.current;
        candidate.standing = judge_cumulative(group.ladder, candidate.points, candidate.standing, false);
        candidate.standing.current = current;
    }
    Review review(group.ladder, group.rules, candidate.account, candidate.standing, candidate.reviews, candidate.resets,
                  candidate.member_from.value_or(ledger::never));
    review.run(candidate.due_at, until);
    review.settle(until, cause);
    std::vector<Change> changes = review.changes();
    candidate.standing = review.standing();
    if (!candidate.member_from && candidate.standing.current != none) {
        candidate.standing.current = none;
        changes.push_back({until, none, cause});
    }
    candidate.review_at = review.next_review();
    candidate.reset_at = review.next_reset();
    candidate.due_at = review.due_at(until);
    return changes;
}

// What the reviews of several accounts of one point type book: columns of the rows to write.
struct Bookings {
    std::vector<std::string> lot_members, balance_members, entry_members, movement_members;
    std::vector<std::int64_t> lot_seqs, lot_remaining, balance_seqs, balance_totals;
    std::vector<std::int64_t> entry_seqs, entry_values, entry_befores, movement_seqs, movement_lots, movement_values;
    std::vector<std::optional<std::string>> entry_types;
    std::vector<TimestampTz> entry_moments;
    std::vector<std::optional<std::int64_t>> entry_lots;

    void add(const Candidate& candidate) {
        const auto& account = candidate.account;
        if (account.entries().empty()) return;
        balance_members.push_back(candidate.member);
        balance_seqs.push_back(account.seq);
        balance_totals.push_back(account.total);
        for (const auto& lot : account.lots()) {
            if (!lot.changed) continue;
            lot_members.push_back(candidate.member);
            lot_seqs.push_back(lot.seq);
            lot_remaining.push_back(lot.remaining);
        }
        for (const auto& entry : account.entries()) add(candidate.member, entry);
    }

private:
    void add(const std::string& member, const ledger::Entry& entry) {
        entry_members.push_back(member);
        entry_seqs.push_back(entry.seq);
        entry_types.emplace_back(name_of(entry.type));
        entry_values.push_back(entry.value);
        entry_befores.push_back(entry.before);
        entry_moments.push_back(entry.created_at);
        entry_lots.push_back(entry.lot);
        for (const auto& movement : entry.movements) {
            movement_members.push_back(member);
            movement_seqs.push_back(entry.seq);
            movement_lots.push_back(movement.lot);
            movement_values.push_back(movement.value);
        }
    }
};

void write_accounts(const TierGroup& group, const Bookings& made, TimestampTz now) {
    static Query query(
        "WITH lowered AS ("
        "    UPDATE loyalty.lots l SET remaining = c.remaining"
        "        FROM unnest($3::text[], $4::bigint[], $5::numeric[]) c (member, seq, remaining)"
        "     WHERE l.member = c.member AND l.program = $1 AND l.point_type = $2 AND l.seq = c.seq)"
        " UPDATE loyalty.balances b SET seq = c.seq, total = c.total, updated_at = $6"
        "   FROM unnest($7::text[], $8::bigint[], $9::numeric[]) c (member, seq, total)"
        "  WHERE b.member = c.member AND b.program = $1 AND b.point_type = $2",
        {TEXTOID, TEXTOID, TEXTARRAYOID, INT8ARRAYOID, NUMERICARRAYOID, TIMESTAMPTZOID, TEXTARRAYOID, INT8ARRAYOID,
         NUMERICARRAYOID});
    query.run_for(
        made.balance_members.size(),
        {text_argument(group.program), optional_text_argument(group.point_type), texts_argument(made.lot_members),
         bigints_argument(made.lot_seqs), units_array_argument(made.lot_remaining, group.scale),
         timestamp_argument(now), texts_argument(made.balance_members), bigints_argument(made.balance_seqs),
         units_array_argument(made.balance_totals, group.scale)},
        true);
}

void write_entries(const TierGroup& group, const Bookings& made, TimestampTz now) {
    static Query query(
        "WITH moved AS ("
        "    INSERT INTO loyalty.lot_movements (member, program, point_type, seq, lot, value)"
        "    SELECT c.member, $1, $2, c.seq, c.lot, c.value"
        "        FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::numeric[]) c (member, seq, lot, value))"
        ", booked AS ("
        "    INSERT INTO loyalty.transactions (member, program, point_type, seq, type, value, balance_before,"
        "        balance_after, created_at, booked_at, lot)"
        "    SELECT e.member, $1, $2, e.seq, e.type, e.value, e.before, e.before + e.value, e.created_at, $7, e.lot"
        "      FROM unnest($8::text[], $9::bigint[], $10::text[], $11::numeric[], $12::numeric[], $13::timestamptz[],"
        "          $14::bigint[])"
        "           e (member, seq, type, value, before, created_at, lot)"
        "    RETURNING *)" + tell_of_booked,
        {TEXTOID, TEXTOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, NUMERICARRAYOID, TIMESTAMPTZOID, TEXTARRAYOID,
         INT8ARRAYOID, TEXTARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID});
    query.run_for(made.balance_members.size(),
                  {text_argument(group.program), optional_text_argument(group.point_type),
                   texts_argument(made.movement_members), bigints_argument(made.movement_seqs),
                   bigints_argument(made.movement_lots), units_array_argument(made.movement_values, group.scale),
                   timestamp_argument(now), texts_argument(made.entry_members), bigints_argument(made.entry_seqs),
                   optional_texts_argument(made.entry_types), units_array_argument(made.entry_values, group.scale),
                   units_array_argument(made.entry_befores, group.scale), timestamps_argument(made.entry_moments),
                   optional_bigints_argument(made.entry_lots)},
                  true);
}

void write_standings(const TierGroup& group, const std::vector<Candidate>& candidates) {
    static Query query(
        "UPDATE loyalty.member_tiers s"
        "   SET tier = c.tier, since = c.since, seq = c.seq, earned_tier = c.earned_tier, kept_tier = c.kept_tier,"
        "       falls_at = c.falls_at,"
        "       given_tier = c.given_tier, given_until = c.given_until,"
        "       given_reason = CASE WHEN c.given_tier IS NOT NULL THEN s.given_reason END,"
        "       review_at = c.review_at, reset_at = c.reset_at, due_at = c.due_at"
        "  FROM unnest($3::text[], $4::text[], $5::timestamptz[], $6::bigint[], $7::text[], $8::text[],"
        "      $9::timestamptz[],"
        "              $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::timestamptz[])"
        "       c (member, tier, since, seq, earned_tier, kept_tier, falls_at, review_at, reset_at, due_at, given_tier,"
        "           given_until)"
        " WHERE s.member = c.member AND s.program = $1 AND s.tier_group = $2",
        {TEXTOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
         TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID,
         TIMESTAMPTZARRAYOID});
    std::vector<std::string> members;
    std::vector<std::optional<std::string>> tiers, earned, kept, given;
    std::vector<TimestampTz> since, falls, reviews, resets, due, given_until;
    std::vector<std::int64_t> seqs;
    for (const auto& candidate : candidates) {
        members.push_back(candidate.member);
        tiers.push_back(group.name(candidate.standing.current));
        since.push_back(candidate.since);
        seqs.push_back(candidate.seq);
        earned.push_back(group.name(candidate.standing.earned));
        kept.push_back(group.name(candidate.standing.kept));
        falls.push_back(candidate.standing.falls_at);
        reviews.push_back(candidate.review_at);
        resets.push_back(candidate.reset_at);
        due.push_back(candidate.due_at);
        given.push_back(group.name(candidate.standing.given));
        given_until.push_back(candidate.standing.given_until);
    }
    query.run_for(members.size(),
                  {text_argument(group.program), text_argument(group.id), texts_argument(members),
                   optional_texts_argument(tiers), timestamps_argument(since), bigints_argument(seqs),
                   optional_texts_argument(earned), optional_texts_argument(kept), timestamps_argument(falls),
                   timestamps_argument(reviews), timestamps_argument(resets), timestamps_argument(due),
                   optional_texts_argument(given), timestamps_argument(given_until)},
                  true);
}

}  // namespace

std::int64_t review_members(const TierGroup& group, const std::vector<std::string>& members, TimestampTz now,
                            Cause cause, const std::optional<std::string>& reason) {
    const Keeping keeping;
    std::vector<Candidate> candidates = read_candidates(group, members, now, Sees::newest);
    Bookings bookings;
    std::vector<TierChange> written;
    for (auto& candidate : candidates) {
        for (const auto& change : work_out(group, candidate, now, cause)) {
            const auto to = group.name(change.tier);
            written.push_back({candidate.member, candidate.tier, to, change.at, change.cause, ++candidate.seq,
                               change.cause == Cause::given_end ? candidate.given_reason : reason});
            candidate.tier = to;
            candidate.since = change.at;
        }
        bookings.add(candidate);
    }
    if (!bookings.balance_members.empty()) {
        write_accounts(group, bookings, now);
        write_entries(group, bookings, now);
    }
    write_standings(group, candidates);
    write_changes(group, written);
    return static_cast<std::int64_t>(written.size());
}

std::vector<std::string> held_tiers(const std::string& program, const std::string& member, TimestampTz at) {
    static Query query(
        "SELECT tier_group, tier, due_at <= $3 FROM loyalty.member_tiers WHERE member = $1 AND program = $2",
        {TEXTOID, TEXTOID, TIMESTAMPTZOID});
    const Rows rows = query.run({text_argument(member), text_argument(program), timestamp_argument(at)});
    std::vector<std::string> held;
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        const std::string group = columns.text();
        auto tier = columns.optional_text();
        const bool is_due = columns.boolean();
        if (is_due) tier = foresee_tier(load_tier_group(program, group, Sees::snapshot), member, at).tier;
        if (tier) held.push_back(*tier);
    }
    return held;
}

namespace {

// What was given until a moment may hide reviews until then: all of them are looked at.
TimestampTz last_look(const TierGroup& group, const std::string& member, TimestampTz at) {
    const auto candidates = read_candidates(group, {member}, at, Sees::snapshot);
    if (candidates.empty() || candidates.front().standing.given_until == DT_NOEND) return at;
    return std::max(at, candidates.front().standing.given_until);
}

// The moment after `at` from which the calendar alone gives a lower tier. Points only go when they are reset, and the
// tier with the review after that; so it is looked at reset after reset, as far as any points are left that a later one
// takes.
TimestampTz lost_at(const TierGroup& group, const std::string& member, TimestampTz at) {
    constexpr int resets_at_most = 100;
    TimestampTz until = last_look(group, member, at);
    for (int resets = 0; resets < resets_at_most; resets++) {
        std::vector<Candidate> candidates = read_candidates(group, {member}, until, Sees::snapshot);
        if (candidates.empty() || !candidates.front().member_from) return DT_NOEND;
        Candidate& candidate = candidates.front();
        Review review(group.ladder, group.rules, candidate.account, candidate.standing, candidate.reviews,
                      candidate.resets, *candidate.member_from);
        review.run(candidate.due_at, at);
        review.settle(at, Cause::points);
        const TimestampTz lost = review.lost_at(at);
        if (lost != ledger::never) return lost;
        const auto has_points =
            std::ranges::any_of(candidate.account.lots(), [](const auto& l) { return l.remaining > 0; });
        if (candidate.resets.empty() || (resets > 0 && !has_points)) return DT_NOEND;
        until = candidate.resets.back().at;
    }
    return DT_NOEND;
}

}  // namespace

ForeseenTier foresee_tier(const TierGroup& group, const std::string& member, TimestampTz at) {
    require_foreseeable(at);
    std::vector<Candidate> candidates = read_candidates(group, {member}, at, Sees::snapshot);
    if (candidates.empty()) return {};
    Candidate& candidate = candidates.front();
    for (const auto& change : work_out(group, candidate, at, Cause::points)) candidate.since = change.at;
    ForeseenTier foreseen;
    foreseen.is_member = candidate.member_from.has_value();
    foreseen.tier = group.name(candidate.standing.current);
    foreseen.since = candidate.since;
    foreseen.points = group.model->for_life ? candidate.points : counting_points(candidate.account, at);
    if (foreseen.is_member) foreseen.kept_until = lost_at(group, member, at);
    return foreseen;
}

}  // namespace loyalty::pg

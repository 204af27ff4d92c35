#include "pg/buyer.hpp"

#include "pg/clock.hpp"
#include "pg/owner.hpp"
#include "pg/profile.hpp"

namespace loyalty::pg {

namespace {

[[noreturn]] void fail_unknown(const std::string& key, const Market& market) {
    throw Error(sqlstate::unknown_profile, "invalid order: the member is not in the profile database",
                "At $.member, the value is \"" + key + "\".",
                "Give a key of profile database \"" + market.profile_database + "\", or no member for an anonymous guest.");
}

Points points_in(const std::string& figure, int scale) {
    const auto value = Decimal::parse(figure);
    const auto units = value ? value->units(scale) : std::nullopt;
    if (!units) throw_overflow();
    return {*units};
}

Balance read_balance(const Rows& rows, std::uint64_t row, const PointType& type, bool usable) {
    Balance balance;
    balance.usable = usable;
    balance.total = points_in(rows.text(row, 3), type.scale);
    if (usable) balance.active = points_in(rows.text(row, 4), type.scale);
    return balance;
}

// The member's accounts, or no row for a buyer who is no member.
Rows read_accounts(const std::string& program, const std::string& key, TimestampTz now) {
    // A row per account, and one for a member without any. What has expired by now counts no more, whether or not a job has
    // booked it; what is held cannot be spent, and outlives its date until the hold ends, be it by its time-out.
    static Query query(
        "SELECT EXISTS (SELECT FROM loyalty.profiles WHERE key = $2), b.point_type,"
        "       (b.total - coalesce(l.expired, 0))::text, coalesce(l.active, 0)::text"
        "  FROM loyalty.members m"
        "  LEFT JOIN loyalty.balances b ON b.member = $2 AND b.program = $1"
        "  LEFT JOIN LATERAL ("
        "       SELECT sum(free) FILTER (WHERE active_from <= $3 AND expires_at > $3) AS active,"
        "              sum(free) FILTER (WHERE expires_at <= $3) AS expired"
        "         FROM (SELECT o.active_from, o.expires_at,"
        "                      o.remaining - CASE WHEN o.held = 0 THEN 0"
        "                                         ELSE (SELECT coalesce(sum(r.amount), 0) FROM loyalty.hold_lots r"
        "                                                 JOIN loyalty.holds h ON h.member = $2 AND h.program = $1 AND h.id = r.hold"
        "                                                WHERE r.member = $2 AND r.program = $1 AND r.point_type = o.point_type"
        "                                                  AND r.lot = o.seq AND h.state = 'open' AND h.expires_at > $4) END AS free"
        "                 FROM loyalty.lots o"
        "                WHERE o.member = $2 AND o.program = $1 AND o.point_type = b.point_type AND o.open) o) l ON true"
        " WHERE m.member = $2 AND m.program = $1 AND m.removed_at IS NULL",
        {TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID});
    return query.run({text_argument(program), text_argument(key), timestamp_argument(now), timestamp_argument(wall_now())});
}

// The bundled profiles are looked up on the way: with the accounts, or on their own for a buyer who is no member.
bool in_bundled_profiles(const Rows& accounts, const std::string& key) {
    return accounts.size() > 0 ? accounts.boolean(0, 1) : bundled_profile_exists(key);
}

}  // namespace

Buyer find_buyer(const CurrentProgram& current, const std::optional<std::string>& member, TimestampTz now, Oid caller) {
    Buyer buyer;
    if (!member) return buyer;
    const LiveProgram& live = *current.live;
    const Program& program = current.version->program;
    const auto key = live.bundled_profiles ? member : find_profile(live, *member, caller);
    if (!key) fail_unknown(*member, live.market);
    const Rows accounts = read_accounts(live.market.program, *key, now);
    if (live.bundled_profiles && !in_bundled_profiles(accounts, *key)) fail_unknown(*member, live.market);

    buyer.kind = accounts.size() > 0 ? BuyerKind::member : BuyerKind::guest;
    if (buyer.kind == BuyerKind::guest) return buyer;
    for (const auto& type : program.point_types) {
        const auto state = live.point_types.find(type.id);
        buyer.balances.push_back({{}, {}, state != live.point_types.end() && state->second.usable(now)});
    }
    for (std::uint64_t row = 0; row < accounts.size() && !accounts.is_null(row, 2); row++) {
        const Index type = program.point_type(accounts.text(row, 2));
        if (type != none) buyer.balances[type] = read_balance(accounts, row, program.point_types[type], buyer.balances[type].usable);
    }
    return buyer;
}

}  // namespace loyalty::pg

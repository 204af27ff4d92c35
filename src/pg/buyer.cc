#include "pg/buyer.hpp"

#include "pg/owner.hpp"

namespace loyalty::pg {

namespace {

// Whether the caller sees the profile in his own relation. A text that is no value of the key's type is no key of it.
bool own_profile_exists(const LiveProgram& live, const std::string& key, Oid caller) {
    const AsUser as_caller(caller);
    try {
        return live.profile_exists->run({text_argument(key)}).size() > 0;
    } catch (const ServerError& error) {
        constexpr int data_exception = MAKE_SQLSTATE('2', '2', '0', '0', '0');
        if (ERRCODE_TO_CATEGORY(error.data->sqlerrcode) == data_exception) return false;
        throw;
    }
}

[[noreturn]] void fail_unknown(const std::string& key, const Market& market) {
    throw Error(sqlstate::unknown_profile, "invalid order: the member is not in the profile database",
                "At $.member, the value is \"" + key + "\".",
                "Give a key of profile database \"" + market.profile_database + "\", or no member for an anonymous guest.");
}

Points points_in(const std::optional<std::string>& figure, int scale) {
    const auto value = figure ? Decimal::parse(*figure) : Decimal{};
    const auto units = value ? value->units(scale) : std::nullopt;
    if (!units) throw_overflow();
    return {*units};
}

}  // namespace

Buyer find_buyer(const CurrentProgram& program, const std::optional<std::string>& member, TimestampTz now, Oid caller) {
    // What has expired by now counts no more, whether or not a job has booked it; what is held cannot be spent, and outlives
    // its date until the hold ends.
    static Query query(
        "SELECT EXISTS (SELECT FROM loyalty.profiles WHERE key = $2),"
        "       EXISTS (SELECT FROM loyalty.members WHERE member = $2 AND program = $1 AND removed_at IS NULL),"
        "       t.external_id, t.active AND (t.deactivates_at IS NULL OR t.deactivates_at > $3),"
        "       (coalesce(b.total, 0) - coalesce(l.expired, 0))::text, coalesce(l.active, 0)::text"
        "  FROM (SELECT) AS one"
        "  LEFT JOIN loyalty.point_types t ON t.program = $1"
        "  LEFT JOIN loyalty.balances b ON b.member = $2 AND b.program = $1 AND b.point_type = t.external_id"
        "  LEFT JOIN LATERAL ("
        "       SELECT sum(remaining - held) FILTER (WHERE active_from <= $3 AND expires_at > $3) AS active,"
        "              sum(remaining - held) FILTER (WHERE expires_at <= $3) AS expired"
        "         FROM loyalty.lots"
        "        WHERE member = $2 AND program = $1 AND point_type = t.external_id AND remaining > 0) l ON true",
        {TEXTOID, TEXTOID, TIMESTAMPTZOID});

    Buyer buyer;
    buyer.balances.resize(program.version->program.point_types.size());
    if (!member) return buyer;
    const LiveProgram& live = *program.live;
    const Rows rows = query.run({text_argument(live.market.program), text_argument(*member), timestamp_argument(now)});
    const bool exists = live.bundled_profiles ? rows.boolean(0, 1) : own_profile_exists(live, *member, caller);
    if (!exists) fail_unknown(*member, live.market);
    buyer.kind = rows.boolean(0, 2) ? BuyerKind::member : BuyerKind::guest;
    if (buyer.kind == BuyerKind::guest) return buyer;
    for (std::uint64_t row = 0; row < rows.size() && !rows.is_null(row, 3); row++) {
        const Index type = program.version->program.point_type(rows.text(row, 3));
        if (type == none) continue;
        Balance& balance = buyer.balances[type];
        const int scale = program.version->program.point_types[type].scale;
        balance.usable = rows.boolean(row, 4);
        balance.total = points_in(rows.optional_text(row, 5), scale);
        if (balance.usable) balance.active = points_in(rows.optional_text(row, 6), scale);
    }
    return buyer;
}

}  // namespace loyalty::pg

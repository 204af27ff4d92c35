#include "pg/orders/buyer.hpp"

#include <algorithm>
#include <map>

#include "pg/members/profile.hpp"
#include "pg/orders/buyers.hpp"
#include "pg/orders/time.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/jsonb.hpp"
#include "pg/server/owner.hpp"
#include "pg/server/predicate.hpp"
#include "pg/server/values.hpp"
#include "pg/tiers/tiers.hpp"

namespace loyalty::pg {

namespace {

[[noreturn]] void fail_unknown(const std::string& key, const Market& market) {
    throw Error(
        sqlstate::unknown_profile, "invalid order: the member is not in the profile database",
        "At $.member, the value is \"" + key + "\".",
        "Give a key of profile database \"" + market.profile_database + "\", or no member for an anonymous guest.");
}

Points points_in(const std::string& figure, int scale) {
    const auto value = Decimal::parse(figure);
    const auto units = value ? value->units(scale) : std::nullopt;
    if (!units) throw_overflow();
    return {*units};
}

// What the schema knows of a profile key.
struct Account {
    bool in_bundled_profiles = false;
    bool enrolled = false;
    std::vector<Balance> balances;       // per point type of the program
    std::optional<std::string> profile;  // its bundled row, as jsonb's text
    std::vector<std::string> segments;   // static ones that list it
};

// How many lots are read one by one; of accounts with more it is asked what of them is not active.
constexpr std::size_t most_lots = 64;

// Four index scans in one statement: starting a statement costs more than each, and a join of them more than all.
const std::string& account_query() {
    static const std::string text =
        "SELECT 'member', NULL::text, NULL::text, NULL::text, NULL::timestamptz, NULL::timestamptz, NULL::text"
        "    FROM loyalty.members WHERE member = $2 AND program = $1 AND removed_at IS NULL"
        " UNION ALL "
        "SELECT 'balance', point_type, total::text, owed::text, NULL, NULL, debt::text FROM loyalty.balances"
        "    WHERE member = $2 AND program = $1"
        " UNION ALL "
        "(SELECT 'lot', point_type, remaining::text, seq::text, active_from, expires_at, held::text"
        "  FROM loyalty.lots WHERE member = $2 AND program = $1 AND open LIMIT " +
        std::to_string(most_lots + 1) + ") UNION ALL ";
    return text;
}

// Where audiences ask for segments, one more index scan.
Rows read_rows(const std::string& program, const std::string& key, bool with_segments) {
    static Query plain(
        (account_query() + "SELECT 'profile', NULL, NULL, NULL, NULL, NULL, NULL FROM loyalty.profiles WHERE key = $2")
            .c_str(),
        {TEXTOID, TEXTOID});
    static Query with_lists(
        (account_query() +
         "SELECT 'profile', to_jsonb(p)::text, NULL, NULL, NULL, NULL, NULL FROM loyalty.profiles p WHERE key = $2"
         " UNION ALL "
         "SELECT 'segment', segment, NULL, NULL, NULL, NULL, NULL FROM loyalty.profile_segment_members"
         " WHERE profile = $2 AND program = $1")
            .c_str(),
        {TEXTOID, TEXTOID});
    return (with_segments ? with_lists : plain).run({text_argument(program), text_argument(key)});
}

// What open holds keep of an account's lots. Read when first asked for: most accounts have none, and a part of the
// statement above would be set up in vain, which costs as much as reading a table.
class Reserved {
public:
    Reserved(const std::string& program, const std::string& key) : program_(program), key_(key) {}

    std::string of(const std::string& point_type, const std::string& lot) {
        if (!amounts_) read();
        const auto found = amounts_->find({point_type, lot});
        return found == amounts_->end() ? "0" : found->second;
    }

private:
    void read() {
        static Query query(
            "SELECT r.point_type, r.lot::text, sum(r.amount)::text"
            "  FROM loyalty.hold_lots r"
            "  JOIN loyalty.holds h ON h.member = $2 AND h.program = $1 AND h.id = r.hold"
            " WHERE r.member = $2 AND r.program = $1 AND h.state = 'open' AND h.expires_at > $3"
            " GROUP BY r.point_type, r.lot",
            {TEXTOID, TEXTOID, TIMESTAMPTZOID});
        const Rows rows =
            query.run({text_argument(program_), text_argument(key_), timestamp_argument(wall_now())});
        amounts_.emplace();
        for (std::uint64_t row = 0; row < rows.size(); row++) {
            ColumnsInTurn columns(rows, row);
            std::pair lot{columns.text(), columns.text()};
            amounts_->emplace(std::move(lot), columns.text());
        }
    }

    const std::string& program_;
    const std::string& key_;
    std::optional<std::map<std::pair<std::string, std::string>, std::string>> amounts_;
};

// What has expired by `now` counts no more, whether or not a job has booked it; what is held cannot be spent, and
// outlives its date until the hold ends, be it by its time-out.
void add_lot(Balance& balance, ColumnsInTurn& columns, const PointType& type, Reserved& reserved, TimestampTz now) {
    const Points remaining = points_in(columns.text(), type.scale);
    const std::string lot = columns.text();
    const TimestampTz active_from = columns.timestamp();
    const TimestampTz expires_at = columns.timestamp();
    const bool is_held = points_in(columns.text(), type.scale) != Points{};
    const Points free = is_held ? remaining - points_in(reserved.of(type.id, lot), type.scale) : remaining;
    if (expires_at <= now) {
        balance.total -= free;
    } else if (active_from <= now && balance.usable) {
        balance.active += free;
    }
}

// Of accounts with many lots: total and active, as add_lot() comes to them.
void read_figures(const CurrentProgram& current, const std::string& key, std::vector<Balance>& balances,
                  TimestampTz now) {
    static Query query(
        "SELECT b.point_type, (b.total - (apart.gone - apart.gone_reserved))::text,"
        "       (b.total + b.debt - apart.gone - apart.waiting - (apart.reserved - apart.gone_reserved))::text"
        "  FROM loyalty.balances b"
        " CROSS JOIN LATERAL loyalty.apart($2, $1, b.point_type, $3, $4) apart"
        " WHERE b.member = $2 AND b.program = $1",
        {TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID});
    const Program& program = current.version->program;
    const Rows rows = query.run({text_argument(current.live->market.program), text_argument(key),
                                 timestamp_argument(now), timestamp_argument(wall_now())});
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        const Index type = program.point_type(columns.text());
        if (type == none) continue;
        const int scale = program.point_types[type].scale;
        Balance& balance = balances[type];
        balance.total = points_in(columns.text(), scale);
        const Points active = points_in(columns.text(), scale);
        balance.active = balance.usable ? active : Points{};
    }
}

// One per point type of the version, with nothing on it.
std::vector<Balance> empty_balances(const CurrentProgram& current, TimestampTz now) {
    std::vector<Balance> balances;
    for (const auto& type : current.version->program.point_types) {
        const auto state = current.live->point_types.find(type.id);
        balances.push_back({{}, {}, state != current.live->point_types.end() && state->second.usable(now)});
    }
    return balances;
}

Account read_account(const CurrentProgram& current, const std::string& key, TimestampTz now) {
    const Program& program = current.version->program;
    Account account;
    account.balances = empty_balances(current, now);
    const DocumentNeeds& needs = current.version->needs;
    const Rows rows = read_rows(current.live->market.program, key, needs.profile_segments);
    Reserved reserved(current.live->market.program, key);
    std::size_t lots = 0;
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        const std::string kind = columns.text();
        if (kind == "profile") {
            account.in_bundled_profiles = true;
            account.profile = columns.optional_text();
            continue;
        }
        if (kind == "member") {
            account.enrolled = true;
            continue;
        }
        if (kind == "segment") {
            account.segments.push_back(columns.text());
            continue;
        }
        lots += kind == "lot";
        const Index type = program.point_type(columns.text());
        // A type that the version in force does not have yet takes no part.
        if (type == none) continue;
        const int scale = program.point_types[type].scale;
        Balance& balance = account.balances[type];
        if (kind == "balance") {
            balance.total += points_in(columns.text(), scale);
            balance.owed = points_in(columns.text(), scale);
            columns.skip(2);
            balance.debt = points_in(columns.text(), scale);
        } else {
            add_lot(balance, columns, program.point_types[type], reserved, now);
        }
    }
    if (lots > most_lots) read_figures(current, key, account.balances, now);
    return account;
}

// The segments of the version that a profile belongs to. `row` is the profile's in the user's own relation.
std::vector<std::uint32_t> profile_segments(const AppliedVersion& version, const Account& account,
                                            std::optional<Datum> row) {
    const auto& segments = version.program.profile_segments;
    std::vector<std::uint32_t> found = places_of(account.segments, segments);
    if (!version.needs.profile) return found;
    const Datum document = with_segments(row ? *row : jsonb_from_text(*account.profile), account.segments);
    for (std::uint32_t i = 0; i < segments.size(); i++) {
        if (!segments[i].is_static() && holds(version.profile_predicates[i], document)) found.push_back(i);
    }
    std::sort(found.begin(), found.end());
    return found;
}

[[noreturn]] void fail_context(std::string_view code, const std::string& path, const std::string& value,
                               const std::string& what, const std::string& hint) {
    throw Error(code, "invalid context: " + what, "At " + path + ", the value is " + value + ".", hint);
}

Points made_up_points(const std::string& type, const Decimal& amount, int scale) {
    const std::string path = "$.balances." + type;
    if (amount.scale() > scale) {
        fail_context(sqlstate::too_many_decimals, path, amount.to_string(),
                     "an amount of points has more decimals than their type",
                     "Give at most " + std::to_string(scale) + " decimals.");
    }
    const auto units = amount.units(scale);
    if (amount.is_negative() || !units) {
        fail_context(sqlstate::value_out_of_range, path, amount.to_string(), "an amount of points is out of range",
                     "Give a number of 0 or more, of at most 18 digits.");
    }
    return {*units};
}

std::int64_t made_up_figure(const char* key, const Decimal& value, int scale) {
    const auto units = value.units(scale);
    if (!value.is_negative() && units) return *units;
    fail_context(sqlstate::value_out_of_range, "$.orders." + std::string(key), value.to_string(),
                 "what was ordered before is out of range",
                 "Give a number of 0 or more, with at most " + std::to_string(scale) + " decimals.");
}

OrdersBefore made_up_orders(const OrdersDocument& given, const Program& program) {
    OrdersBefore orders{made_up_figure("count", given.count, 0),
                        {made_up_figure("sum", given.sum, program.currency_scale)},
                        {}};
    if (given.last)
        orders.last = local_time(read_order_time(*given.last, program.time_zone), program.time_zone).to_string();
    return orders;
}

// `query` yields the first of the names $2 that program $1 does not know, with its place.
void check_names(Query& query, const std::string& program, const std::vector<std::string>& names, const char* key,
                 const char* table) {
    if (names.empty()) return;
    const Rows unknown = query.run({text_argument(program), texts_argument(names)});
    if (unknown.size() == 0) return;
    fail_context(sqlstate::unknown_in_context,
                 "$." + std::string(key) + "[" + std::to_string(bigint_at(unknown, 0, 1) - 1) + "]",
                 "\"" + unknown.text(0, 2) + "\"", "a name is not known to the program",
                 "Name one of loyalty." + std::string(table) + ".");
}

void check_names(const std::string& program, const TestContext::Member& member) {
    static Query tiers(
        "SELECT given.number, given.name FROM unnest($2) WITH ORDINALITY AS given (name, number)"
        " WHERE NOT EXISTS (SELECT FROM loyalty.tiers WHERE program = $1 AND external_id = given.name)"
        " ORDER BY given.number LIMIT 1",
        {TEXTOID, TEXTARRAYOID});
    static Query segments(
        "SELECT given.number, given.name FROM unnest($2) WITH ORDINALITY AS given (name, number)"
        " WHERE NOT EXISTS (SELECT FROM loyalty.profile_segments WHERE program = $1 AND external_id = given.name)"
        " ORDER BY given.number LIMIT 1",
        {TEXTOID, TEXTARRAYOID});
    static Query promo_codes(
        "SELECT given.number, given.name FROM unnest($2) WITH ORDINALITY AS given (name, number)"
        " WHERE NOT EXISTS (SELECT FROM loyalty.promo_codes WHERE program = $1 AND code = upper(btrim(given.name)))"
        " ORDER BY given.number LIMIT 1",
        {TEXTOID, TEXTARRAYOID});
    check_names(tiers, program, member.tiers, "tiers", "tiers");
    check_names(segments, program, member.segments, "segments", "profile_segments");
    check_names(promo_codes, program, member.promo_codes, "promo_codes", "promo_codes");
}

}  // namespace

Buyer make_up_buyer(const CurrentProgram& current, const TestContext::Member& member, TimestampTz now) {
    const Program& program = current.version->program;
    check_names(current.live->market.program, member);
    Buyer buyer;
    buyer.kind = BuyerKind::member;
    buyer.balances = empty_balances(current, now);
    for (const auto& [id, amount] : member.balances) {
        const Index type = program.point_type(id);
        if (type == none) {
            fail_context(sqlstate::unknown_point_type, "$.balances." + id, amount.to_string(),
                         "the point type is not known to the program", "Name one of loyalty.point_types.");
        }
        Balance& balance = buyer.balances[type];
        balance.total = made_up_points(id, amount, program.point_types[type].scale);
        if (balance.usable) balance.active = balance.total;
    }
    buyer.tiers = places_of(member.tiers, program.tiers);
    buyer.segments = places_of(member.segments, program.profile_segments);
    buyer.orders = made_up_orders(member.orders, program);
    return buyer;
}

Buyer find_buyer(const CurrentProgram& current, const std::optional<std::string>& member, TimestampTz now, Oid caller) {
    Buyer buyer;
    if (!member) return buyer;
    const LiveProgram& live = *current.live;
    const auto profile = live.profiles.bundled
                             ? Profile{*member, std::nullopt}
                             : read_profile(live.profiles, *member, caller, current.version->needs.profile);
    if (!profile) fail_unknown(*member, live.market);
    Account account = read_account(current, profile->key, now);
    if (live.profiles.bundled && !account.in_bundled_profiles) fail_unknown(*member, live.market);
    buyer.key = profile->key;
    buyer.kind = account.enrolled ? BuyerKind::member : BuyerKind::guest;
    if (current.version->needs.orders_before)
        buyer.orders = find_orders_before(current.version->program, profile->key);
    // Audiences of tiers and segments are for members.
    if (!account.enrolled) return buyer;
    buyer.balances = std::move(account.balances);
    const Program& program = current.version->program;
    if (current.version->needs.tiers)
        buyer.tiers = places_of(held_tiers(live.market.program, profile->key, now), program.tiers);
    buyer.segments = profile_segments(*current.version, account, profile->row);
    return buyer;
}

}  // namespace loyalty::pg

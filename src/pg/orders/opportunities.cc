// loyalty_opportunities: "take 2 more, pay 12.40 more and gain 8.00", each row calculated before it is said.
#include "codec/order_reader.hpp"

#include <algorithm>

#include "pg/orders/opportunities.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"
#include "pg/server/memory.hpp"

namespace loyalty::pg {

namespace {

using Kind = Change::Kind;

std::vector<HeldCode> held_codes(const Quote& quote) {
    static Query query(
        "SELECT code::text, pool::text FROM loyalty.promo_codes"
        "    WHERE profile = $2 AND program = $1 ORDER BY code LIMIT 100",
        {TEXTOID, TEXTOID});
    std::vector<HeldCode> held;
    if (quote.order.buyer.key.empty() || quote.program().pools.empty()) return held;
    const AsOwner as_owner = AsOwner::going_on();
    const Spi connection;
    const Rows rows = query.run({text_argument(quote.program().id), text_argument(quote.order.buyer.key)});
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        held.push_back({columns.text(), columns.text()});
    }
    return held;
}

// A place of the version that the program does not have any more is none.
bool is_possible(const Change& change, const Market& market) {
    if (change.kind == Kind::contact_point) return market.contact_points.contains(change.text);
    if (change.kind == Kind::channel) return market.channels.contains(change.text);
    return true;
}

std::vector<std::string> effective(const Quote& quote) {
    std::vector<std::string> ids;
    for (const auto& operation : quote.calculation.operations) {
        const Program& program = quote.program();
        const Condition& condition = program.conditions[program.benefits[operation.entry.benefit].condition];
        if (operation.entry.has_effect()) ids.push_back(program.promotions[condition.promotion].id);
    }
    return ids;
}

std::string promotion_of(const Change& change, const Quote& now, const Quote& then) {
    if (change.promotion != none) return now.program().promotions[change.promotion].id;
    const auto before = effective(now);
    for (auto& id : effective(then)) {
        if (std::find(before.begin(), before.end(), id) == before.end()) return id;
    }
    return "";
}

std::string shown(Money amount, const Program& program) {
    std::string text;
    append_decimal(text, amount.units, program.currency_scale);
    return text;
}

std::string describe(const Change& change, const Quote& quote) {
    if (change.kind == Kind::promo_code) return "use promo code " + change.text;
    if (change.kind == Kind::redeem) return "spend " + change.text + " points";
    if (change.kind != Kind::more) return "order at " + change.text;
    for (const auto& line : quote.order.lines) {
        if (line.position != change.position) continue;
        const Quantity more = change.quantity - line.quantity;
        return "take " + Decimal::of(more.units, quantity_scale).to_string() + " more of " +
               (line.name.empty() ? line.product : line.name);
    }
    return "";
}

std::string describe(const Opportunity& opportunity, const Quote& quote) {
    const Program& program = quote.program();
    const auto money = [&](Money amount) { return shown(amount, program) + " " + program.currency; };
    std::string text = describe(opportunity.change, quote) + ": ";
    if (opportunity.price_then < opportunity.price_now) {
        text += "pay " + money(opportunity.price_now - opportunity.price_then) + " less";
    } else if (opportunity.price_now < opportunity.price_then) {
        text += "pay " + money(opportunity.price_then - opportunity.price_now) + " more";
    } else {
        text += "pay the same";
    }
    return text + ", gain " + money(opportunity.net_gain);
}

// Nothing where the change is worth nothing.
std::optional<Opportunity> verify(const Change& change, const Quote& now, const Edition& edition, Oid caller) {
    const Quote then = make_quote(change.apply(now.document), edition, caller, {.made_up = true});
    const Program& program = now.program();
    const int128 gain = worth(program, then.calculation) - worth(program, now.calculation);
    if (gain <= 0) return std::nullopt;
    Opportunity found;
    found.change = change;
    found.promotion = promotion_of(change, now, then);
    found.price_now = now.calculation.total;
    found.price_then = then.calculation.total;
    found.net_gain = {static_cast<std::int64_t>((gain + program.value_denominator / 2) / program.value_denominator)};
    for (std::size_t type = 0; type < program.point_types.size(); type++) {
        const auto earned = [&](const Quote& quote) {
            return quote.calculation.points[type].accrued + quote.calculation.points[type].pending;
        };
        found.points.push_back(earned(then) - earned(now));
    }
    found.text = describe(found, now);
    return found;
}

// The change as a JSON patch (RFC 6902) on the order.
class Patch {
public:
    Patch(JsonbWriter& out, const OrderDocument& document) : out_(out), document_(document) {}

    void write(const Change& change) {
        out_.begin_array();
        switch (change.kind) {
            case Kind::promo_code:
                append("/promo_codes", document_.promo_codes.empty(), [&] { out_.text(change.text); });
                break;
            case Kind::redeem:
                append("/redeem", document_.redeem.empty(), [&] { write_request(change.text); });
                break;
            case Kind::contact_point:
                set("/contact_point", change.text);
                if (document_.channel) remove("/channel");
                break;
            case Kind::channel:
                set("/channel", change.text);
                if (document_.contact_point) remove("/contact_point");
                break;
            case Kind::time:
                set("/time", change.text);
                break;
            case Kind::more:
                begin("replace", out_.keep("/lines/" + std::to_string(change.position) + "/quantity"));
                out_.key("value");
                write_number(Decimal::of(change.quantity.units, quantity_scale));
                out_.end_object();
                break;
        }
        out_.end_array();
    }

private:
    void begin(std::string_view operation, std::string_view path) {
        out_.begin_object();
        out_.key("op");
        out_.text(operation);
        out_.key("path");
        out_.text(path);
    }

    void set(std::string_view path, std::string_view value) {
        begin("add", path);
        out_.key("value");
        out_.text(value);
        out_.end_object();
    }

    void remove(std::string_view path) {
        begin("remove", path);
        out_.end_object();
    }

    // To the end of a list, which may have to be made.
    template <class Item>
    void append(const char* list, bool is_new, const Item& item) {
        begin("add", is_new ? std::string_view(list) : out_.keep(std::string(list) + "/-"));
        out_.key("value");
        if (is_new) out_.begin_array();
        item();
        if (is_new) out_.end_array();
        out_.end_object();
    }

    void write_request(std::string_view points) {
        out_.begin_object();
        out_.key("points");
        out_.text(points);
        out_.key("amount");
        out_.text("max");
        out_.end_object();
    }

    void write_number(const Decimal& value) { out_.number(value.units(value.scale()).value_or(0), value.scale()); }

    JsonbWriter& out_;
    const OrderDocument& document_;
};

bool earns_otherwise(const Opportunity& opportunity) {
    return std::any_of(opportunity.points.begin(), opportunity.points.end(), [](Points p) { return !p.is_zero(); });
}

void write_points(JsonbWriter& out, const Program& program, const Opportunity& opportunity) {
    out.begin_object();
    for (std::size_t type = 0; type < opportunity.points.size(); type++) {
        if (opportunity.points[type].is_zero()) continue;
        out.key(program.point_types[type].id);
        out.number(opportunity.points[type].units, program.point_types[type].scale);
    }
    out.end_object();
}

void write_opportunity(JsonbWriter& out, const Quote& quote, const Opportunity& opportunity) {
    const auto money = [&](const char* key, Money amount) {
        out.key(key);
        out.number(amount.units, quote.program().currency_scale);
    };
    out.begin_object();
    if (!opportunity.promotion.empty()) {
        out.key("promotion");
        out.text(opportunity.promotion);
    }
    out.key("kind");
    out.text(to_string(opportunity.change.kind));
    out.key("change");
    Patch(out, quote.document).write(opportunity.change);
    money("price_now", opportunity.price_now);
    money("price_then", opportunity.price_then);
    money("net_gain", opportunity.net_gain);
    if (earns_otherwise(opportunity)) {
        out.key("points_gain");
        write_points(out, quote.program(), opportunity);
    }
    out.key("text");
    out.text(opportunity.text);
    out.end_object();
}

constexpr int columns = 8;

void put_row(ReturnSetInfo* result, const Quote& quote, const Opportunity& opportunity) {
    const int scale = quote.program().currency_scale;
    JsonbWriter change, points;
    Patch(change, quote.document).write(opportunity.change);
    write_points(points, quote.program(), opportunity);
    Datum values[columns] = {text_datum(opportunity.promotion),
                             text_datum(to_string(opportunity.change.kind)),
                             change.take(),
                             numeric_datum(opportunity.price_now.units, scale),
                             numeric_datum(opportunity.price_then.units, scale),
                             numeric_datum(opportunity.net_gain.units, scale),
                             points.take(),
                             text_datum(opportunity.text)};
    bool nulls[columns] = {opportunity.promotion.empty()};
    nulls[6] = !earns_otherwise(opportunity);
    Datum* datums = values;
    bool* is_null = nulls;
    postgres([=] { tuplestore_putvalues(result->setResult, result->setDesc, datums, is_null); });
}

}  // namespace

std::vector<Opportunity> find_opportunities(const Quote& quote, const Edition& edition, Oid caller, int most) {
    std::vector<Opportunity> found;
    int calculated = 0;
    for (const auto& change : find_changes(quote.program(), quote.order, held_codes(quote))) {
        if (static_cast<int>(found.size()) == most || calculated == 2 * most) break;
        if (!is_possible(change, quote.current.live->market)) continue;
        calculated++;
        if (auto opportunity = verify(change, quote, edition, caller)) found.push_back(std::move(*opportunity));
    }
    return found;
}

Datum opportunities_document(const Quote& quote, const std::vector<Opportunity>& opportunities) {
    JsonbWriter out;
    out.begin_object();
    out.key("opportunities");
    out.begin_array();
    for (const auto& opportunity : opportunities) write_opportunity(out, quote, opportunity);
    out.end_array();
    out.end_object();
    return out.take();
}

int checked_most(std::int64_t most) {
    if (most >= 1 && most <= most_opportunities) return static_cast<int>(most);
    throw Error(sqlstate::value_out_of_range, "the number of opportunities is out of range",
                "It is " + std::to_string(most) + ".", "It is 1 to " + std::to_string(most_opportunities) + ".");
}

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_opportunities);
Datum loyalty_opportunities(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const CalculationMemory memory;
        const int most = checked_most(PG_GETARG_INT32(1));
        const Edition edition = Edition::in_force();
        const Quote quote =
            make_quote(loyalty::codec::read_order(document_text(PG_GETARG_DATUM(0))), edition, GetUserId());
        const auto opportunities = find_opportunities(quote, edition, GetUserId(), most);
        postgres([=] { InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC); });
        auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
        for (const auto& opportunity : opportunities) put_row(result, quote, opportunity);
        return Datum{0};
    });
}
}

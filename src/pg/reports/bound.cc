// loyalty_bound: a proof of the most that any order can get by the draft, with an order that gets it. The core
// proves, and says what such an order may look like; here it becomes a document, as loyalty_test() takes it, and is
// calculated.
#include "core/bound/bound.hpp"
#include "core/bound/witness.hpp"
#include "core/error.hpp"

#include <algorithm>

#include "pg/orders/quote.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/memory.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

constexpr std::size_t most_tried = 400;
constexpr std::int64_t plenty_of_points = 1'000'000'000;

Measure read_measure(const std::string& name) {
    if (name == "discount_percent") return Measure::discount;
    if (name == "line_discount_percent") return Measure::line_discount;
    if (name == "points_percent") return Measure::points;
    throw Error(sqlstate::value_out_of_range, "measure \"" + name + "\" does not exist", {},
                "There are discount_percent, line_discount_percent and points_percent.");
}

// Products that differ in the segments they are in, or in their partner's terms; and one that the catalogue does not
// know.
std::vector<std::string> find_goods(const std::string& program) {
    static Query query(
        "(SELECT min(kind.sku) FROM (SELECT s.sku, array_agg(s.segment ORDER BY s.segment) AS segments"
        "   FROM (SELECT sku::text COLLATE \"C\" AS sku, segment::text FROM loyalty.segment_products WHERE program = $1"
        "          ORDER BY sku LIMIT 20000) AS s GROUP BY s.sku) AS kind GROUP BY kind.segments ORDER BY 1 LIMIT 24)"
        " UNION ALL"
        " (SELECT sku::text COLLATE \"C\" FROM loyalty.partner_products WHERE program = $1"
        "   ORDER BY discount_percent DESC NULLS LAST, sku LIMIT 4)",
        {TEXTOID});
    std::vector<std::string> goods{"a product that the catalogue does not know"};
    const Rows rows = query.run({text_argument(program)});
    for (std::uint64_t row = 0; row < rows.size(); row++) goods.push_back(rows.text(row, 1));
    return goods;
}

// A code of each pool, if it has one in date.
std::vector<std::string> find_codes(const Program& program) {
    static Query query(
        "SELECT (SELECT c.code::text FROM loyalty.promo_codes c WHERE c.program = $1 AND c.pool = o.pool"
        "         AND c.expires_at > loyalty.clock() ORDER BY c.profile IS NOT NULL, c.code LIMIT 1)"
        "  FROM unnest($2) WITH ORDINALITY AS o (pool, number) ORDER BY o.number",
        {TEXTOID, TEXTARRAYOID});
    std::vector<std::string> codes;
    if (program.pools.empty()) return codes;
    const Rows rows = query.run({text_argument(program.id), texts_argument(program.pools)});
    for (std::uint64_t row = 0; row < rows.size(); row++) codes.push_back(rows.optional_text(row, 1).value_or(""));
    return codes;
}

// An order and the context of its test.
struct Trial {
    OrderDocument order;
    TestContext context;
    std::vector<std::string> fields_at_0;  // of lines that have fields
};

class Trials {
public:
    explicit Trials(const Program& program)
        : program_(program), goods_(find_goods(program.id)), codes_(find_codes(program)) {
        for (const auto& path : program.reads.product) {
            if (path.size() == 2 && path.front() == "fields") fields_.push_back(path.back());
        }
        JsonbWriter out;
        out.begin_object();
        for (const auto& field : fields_) {
            out.key(field);
            out.number(0, 0);
        }
        out.end_object();
        fields_at_0_ = jsonb_text(out.take());
    }

    // Each product as it is, and, where a benefit reads fields, with these at 0.
    std::size_t kinds_of_goods() const { return goods_.size() * (fields_.empty() ? 1U : 2U); }

    Trial make(const Sketch& sketch) const {
        Trial trial;
        trial.order.program = program_.id;
        trial.fields_at_0 = fields_;
        for (const auto& line : sketch.lines) trial.order.lines.push_back(document_of(line));
        if (sketch.time) trial.order.time = sketch.time->to_string();
        if (sketch.world.channel && !sketch.world.channel->empty()) trial.order.channel = *sketch.world.channel;
        if (sketch.world.region && !sketch.world.region->empty()) trial.order.region = *sketch.world.region;
        for (std::size_t pool = 0; pool < codes_.size(); pool++) {
            const bool withheld = pool < 64 && (sketch.withheld >> pool & 1);
            if (!withheld && !codes_[pool].empty()) trial.order.promo_codes.push_back(codes_[pool]);
        }
        if (sketch.world.member) make_member(trial, sketch);
        return trial;
    }

private:
    LineDocument document_of(const Sketch::Line& line) const {
        LineDocument document;
        document.product = goods_[line.goods % goods_.size()];
        document.quantity = Decimal::of(line.quantity.units, quantity_scale);
        document.price = Decimal::of(line.price.units, program_.currency_scale);
        document.min_price = Decimal();
        if (line.goods >= goods_.size()) document.fields = fields_at_0_;
        return document;
    }

    // Of the segments that promotions are for, but of none that they are not for.
    void make_member(Trial& trial, const Sketch& sketch) const {
        TestContext::Member member;
        member.tiers = program_.tiers;
        std::vector<bool> wanted(program_.profile_segments.size()), unwanted(wanted);
        for (const auto& promotion : program_.promotions) {
            for (const auto segment : promotion.audience_segments)
                (promotion.audience == Audience::outside_segments ? unwanted : wanted)[segment] = true;
        }
        for (std::size_t i = 0; i < wanted.size(); i++) {
            if (wanted[i] && !unwanted[i]) member.segments.push_back(program_.profile_segments[i].id);
        }
        member.promo_codes = trial.order.promo_codes;
        for (const auto& type : program_.point_types) {
            if (type.kind != PointKind::standard) continue;
            member.balances.emplace_back(type.id, Decimal(plenty_of_points));
            if (sketch.redeems) trial.order.redeem.push_back({type.id, std::nullopt});
        }
        trial.context.member = std::move(member);
    }

    const Program& program_;
    std::vector<std::string> goods_, codes_, fields_;
    std::string fields_at_0_;
};

// A channel or region of the tree that the market does not have any more makes no order.
bool is_possible(const OrderDocument& order, const Market& market) {
    return (!order.channel || market.channels.contains(*order.channel)) &&
           (!order.region || market.regions.contains(*order.region));
}

Outcome outcome_of(const Quote& quote, Measure measure) {
    const Calculation& calculation = quote.calculation;
    if (measure == Measure::discount) return {calculation.goods.base, calculation.goods.base - calculation.goods.total};
    if (measure == Measure::points) {
        int128 worth = 0;
        for (std::size_t type = 0; type < calculation.points.size(); type++) {
            const Points earned = calculation.points[type].accrued + calculation.points[type].pending;
            worth += int128{earned.units} * quote.program().point_types[type].value;
        }
        return {calculation.goods.base, Money{static_cast<std::int64_t>(worth / quote.program().value_denominator)}};
    }
    Outcome best;
    for (const auto& line : calculation.lines) {
        const Outcome one{line.base, line.base - line.total};
        const bool is_more = int128{one.taken.units} * best.base.units > int128{best.taken.units} * one.base.units;
        if (best.base.is_zero() || is_more) best = one;
    }
    return best;
}

// --- What is answered ----------------------------------------------------------------------------------------------

Datum shown(std::int64_t units, int scale) {
    while (scale > 0 && units % 10 == 0) {
        units /= 10;
        scale--;
    }
    return numeric_datum(units, scale);
}

// In percent, to six decimals, up.
Datum percent_up(const std::optional<Share>& share) {
    if (share) return shown((*share + 9'999) / 10'000, 6);
    return postgres([] {
        return DirectFunctionCall3(numeric_in, CStringGetDatum("Infinity"), ObjectIdGetDatum(InvalidOid),
                                   Int32GetDatum(-1));
    });
}

Datum percent_of(const Outcome& outcome) {
    return shown(static_cast<std::int64_t>(int128{outcome.taken.units} * 100'000'000 / outcome.base.units), 6);
}

class TrialWriter {
public:
    explicit TrialWriter(const Trial& trial) : trial_(trial) {}

    Datum write() {
        out_.begin_object();
        out_.key("order");
        write_order();
        out_.key("context");
        write_context();
        out_.end_object();
        return out_.take();
    }

private:
    void number(const char* key, const Decimal& value) {
        out_.key(key);
        out_.number(value.units(value.scale()).value_or(0), value.scale());
    }
    void optional_text(const char* key, const std::optional<std::string>& text) {
        if (!text) return;
        out_.key(key);
        out_.text(*text);
    }
    void texts(const char* key, const std::vector<std::string>& texts) {
        if (texts.empty()) return;
        out_.key(key);
        out_.begin_array();
        for (const auto& text : texts) out_.text(text);
        out_.end_array();
    }

    void write_order() {
        const OrderDocument& order = trial_.order;
        out_.begin_object();
        optional_text("program", order.program);
        optional_text("time", order.time);
        optional_text("channel", order.channel);
        optional_text("region", order.region);
        out_.key("lines");
        out_.begin_array();
        for (const auto& line : order.lines) write_line(line);
        out_.end_array();
        texts("promo_codes", order.promo_codes);
        if (!order.redeem.empty()) {
            out_.key("redeem");
            out_.begin_array();
            for (const auto& redeem : order.redeem) {
                out_.begin_object();
                out_.key("points");
                out_.text(redeem.points);
                out_.key("amount");
                out_.text("max");
                out_.end_object();
            }
            out_.end_array();
        }
        out_.end_object();
    }

    void write_line(const LineDocument& line) {
        out_.begin_object();
        out_.key("product");
        out_.text(line.product);
        number("quantity", line.quantity);
        number("price", *line.price);
        number("min_price", *line.min_price);
        if (!line.fields.empty()) {
            out_.key("fields");
            out_.begin_object();
            for (const auto& field : trial_.fields_at_0) {
                out_.key(field);
                out_.number(0, 0);
            }
            out_.end_object();
        }
        out_.end_object();
    }

    void write_context() {
        out_.begin_object();
        if (trial_.context.member) {
            const TestContext::Member& member = *trial_.context.member;
            out_.key("balances");
            out_.begin_object();
            for (const auto& [type, balance] : member.balances) {
                out_.key(type);
                out_.number(balance.units(0).value_or(0), 0);
            }
            out_.end_object();
            texts("tiers", member.tiers);
            texts("segments", member.segments);
            texts("promo_codes", member.promo_codes);
        }
        out_.end_object();
    }

    const Trial& trial_;
    JsonbWriter out_;
};

constexpr int columns = 7;

std::string name_of(const Program& program, const Child& node) {
    if (!node.is_group) return "promotion \"" + program.promotions[node.index].id + "\"";
    return node.index == 0 ? "program" : "promotion group \"" + program.groups[node.index].id + "\"";
}

class Answer {
public:
    explicit Answer(FunctionCallInfo call) : result_(reinterpret_cast<ReturnSetInfo*>(call->resultinfo)) {
        postgres([=] { InitMaterializedSRF(call, MAT_SRF_USE_EXPECTED_DESC); });
    }

    void put(Datum (&values)[columns], bool (&nulls)[columns]) {
        Datum* datums = values;
        bool* is_null = nulls;
        ReturnSetInfo* result = result_;
        postgres([=] { tuplestore_putvalues(result->setResult, result->setDesc, datums, is_null); });
    }

private:
    ReturnSetInfo* result_;
};

// A program whose draft is bound.
CurrentProgram find_draft(const std::string& program) {
    const AsOwner as_owner = AsOwner::going_on();
    const Spi connection;
    return find_program(program, Edition::draft());
}

Trials make_trials(const Program& program) {
    const AsOwner as_owner = AsOwner::going_on();
    const Spi connection;
    return Trials(program);
}

void answer(FunctionCallInfo call) {
    const Arguments given(call);
    const Measure measure = read_measure(given.required(1, "measure"));
    const CurrentProgram current = find_draft(given.required(0, "program"));
    const Program& program = current.version->program;
    const Bound bound = find_bound(program, measure, check_calculation);
    const Trials trials = make_trials(program);
    // Of nothing there is no witness.
    const std::size_t tried = bound.at_most == Share{0} ? 0 : most_tried;
    const auto witness = find_witness(program, bound, trials.kinds_of_goods(), tried, [&](const Sketch& sketch) {
        const Trial trial = trials.make(sketch);
        if (!is_possible(trial.order, current.live->market)) return std::optional<Outcome>();
        const Quote quote =
            make_quote(trial.order, Edition::draft(), GetUserId(), {.test = &trial.context, .made_up = true});
        return std::optional(outcome_of(quote, measure));
    });
    Answer rows(call);
    for (const auto& step : bound.steps) {
        const bool is_first = step.depth == 0;
        Datum values[columns] = {Int32GetDatum(step.depth), text_datum(name_of(program, step.node)),
                                 percent_up(step.at_most)};
        bool nulls[columns] = {
            false, false, false, !is_first, !is_first || !witness, step.reason.empty(), !is_first || !witness};
        if (is_first) values[3] = shown(bound.halves_of_line * 5, program.currency_scale + 1);
        if (!nulls[4]) values[4] = percent_of(witness->outcome);
        values[5] = text_datum(step.reason);
        if (!nulls[6]) values[6] = TrialWriter(trials.make(witness->sketch)).write();
        rows.put(values, nulls);
    }
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_bound);
Datum loyalty_bound(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const CalculationMemory memory;
        answer(fcinfo);
        return Datum{0};
    });
}
}

#include "codec/result_writer.hpp"

#include <algorithm>

namespace loyalty::codec {

namespace {

constexpr std::string_view buyer_names[] = {"anonymous", "guest", "member"};
constexpr std::string_view kind_names[] = {"discount", "points"};

// In the parts that repeat, keys come in the order in which jsonb keeps them, shorter ones first: sorting them there would
// cost more than all the rest of writing.
class ResultWriter {
public:
    ResultWriter(JsonWriter& out, const Program& program, const Order& order, const Calculation& calculation)
        : out_(out), program_(program), order_(order), calculation_(calculation) {}

    void run(const ResultHeader& header) {
        out_.begin_object();
        write_header(header);
        write_lines();
        write_shipping();
        write_totals();
        write_points();
        write_operations();
        write_promo_codes(header.document);
        out_.key("optimal");
        out_.boolean(calculation_.optimal);
        if (!calculation_.unproven.empty()) write_unproven();
        out_.end_object();
    }

private:
    void text(std::string_view name, std::string_view value) {
        out_.key(name);
        out_.text(value);
    }

    void optional_text(std::string_view name, const std::optional<std::string>& value) {
        if (value) text(name, *value);
    }

    void money(std::string_view name, Money amount) {
        out_.key(name);
        out_.number(amount.units, program_.currency_scale);
    }

    void points(std::string_view name, Points amount, std::uint32_t type) {
        out_.key(name);
        out_.number(amount.units, program_.point_types[type].scale);
    }

    void count(std::string_view name, std::size_t number) {
        out_.key(name);
        out_.number(static_cast<std::int64_t>(number), 0);
    }

    void quantity(std::string_view name, Quantity amount) {
        const Decimal shown = Decimal::of(amount.units, quantity_scale);
        out_.key(name);
        out_.number(static_cast<std::int64_t>(shown.coefficient()), shown.scale());
    }

    void write_unproven() {
        out_.key("unproven");
        out_.begin_array();
        for (const auto& search : calculation_.unproven) {
            out_.begin_object();
            text("group", program_.groups[search.group].id);
            money("worth", search.worth);
            if (search.bound) money("bound", *search.bound);
            out_.end_object();
        }
        out_.end_array();
    }

    void write_header(const ResultHeader& header) {
        text("program", program_.id);
        count("version", static_cast<std::size_t>(program_.version));
        optional_text("external_id", header.document.external_id);
        if (order_.buyer.kind != BuyerKind::anonymous) text("member", order_.buyer.key);
        text("buyer", buyer_names[static_cast<int>(order_.buyer.kind)]);
        text("currency", program_.currency);
        if (!header.time.empty()) text("time", header.time);
    }

    void write_lines() {
        std::vector<std::size_t> by_position(order_.lines.size());
        for (std::size_t i = 0; i < by_position.size(); i++) by_position[order_.lines[i].position] = i;
        out_.key("lines");
        out_.begin_array();
        for (const auto i : by_position) {
            const Line& line = order_.lines[i];
            const LineResult& result = calculation_.lines[i];
            out_.begin_object();
            text("id", line.id);
            money("base", result.base);
            money("price", Money{scaled(result.total.units, {one_unit.units, line.quantity.units})});
            money("total", result.total);
            text("product", line.product);
            money("allotted", result.allotted);
            money("discount", result.discount);
            quantity("quantity", line.quantity);
            money("base_price", line.price);
            money("points_discount", result.points_discount);
            out_.end_object();
        }
        out_.end_array();
    }

    void write_shipping() {
        out_.key("shipping");
        out_.begin_object();
        money("base", calculation_.shipping.base);
        money("discount", calculation_.shipping.discount);
        money("total", calculation_.shipping.total);
        out_.end_object();
    }

    void write_totals() {
        Quantity items;
        for (const auto& line : order_.lines) items += line.quantity;
        const LineResult& goods = calculation_.goods;
        const LineResult& shipping = calculation_.shipping;
        out_.key("totals");
        out_.begin_object();
        count("lines", order_.lines.size());
        quantity("items", items);
        count("benefits", calculation_.benefits);
        money("goods", goods.total);
        money("base", goods.base + shipping.base);
        money("discount", goods.discount + shipping.discount);
        money("points_discount", goods.points_discount + shipping.points_discount);
        money("total", calculation_.total);
        out_.end_object();
    }

    void write_points() {
        out_.key("points");
        out_.begin_array();
        for (std::uint32_t type = 0; order_.buyer.kind == BuyerKind::member && type < calculation_.points.size();
             type++) {
            const Balance& before = order_.buyer.balances[type];
            const PointsResult& result = calculation_.points[type];
            out_.begin_object();
            text("points", program_.point_types[type].id);
            points("total_before", before.total, type);
            points("active_before", before.active, type);
            points("spent", result.spent, type);
            points("accrued", result.accrued, type);
            points("pending", result.pending, type);
            points("total_after", before.total - result.spent + result.accrued, type);
            points("active_after", before.active - result.spent + result.accrued - result.delayed, type);
            out_.end_object();
        }
        out_.end_array();
    }

    void write_operations() {
        out_.key("operations");
        out_.begin_array();
        for (const auto& operation : calculation_.operations) write_operation(operation);
        out_.end_array();
    }

    void write_operation(const Operation& operation) {
        const Entry& entry = operation.entry;
        const BenefitEntry& benefit = program_.benefits[entry.benefit];
        const Condition& condition = program_.conditions[benefit.condition];
        const Promotion& promotion = program_.promotions[condition.promotion];
        out_.begin_object();
        if (entry.applied < entry.asked) money("cut", entry.asked - entry.applied);
        if (entry.target == Entry::Target::line) text("line", order_.lines[entry.line].id);
        text("level", condition.level == Level::product ? "product" : "order");
        if (entry.kind == Entry::Kind::accrual) write_accrual(operation, *benefit.rule);
        if (entry.kind == Entry::Kind::paid_by_points) {
            points("spent", operation.spent, entry.point_type);
            text("points", program_.point_types[entry.point_type].id);
        }
        if (entry.target != Entry::Target::line)
            text("target", entry.target == Entry::Target::shipping ? "shipping" : "order");
        text("benefit", benefit.type->name);
        if (entry.target == Entry::Target::line) text("product", order_.lines[entry.line].product);
        if (entry.kind == Entry::Kind::money) money("discount", entry.applied);
        text("promotion", promotion.id);
        text("promotion_type", kind_names[static_cast<int>(promotion.kind)]);
        if (entry.kind == Entry::Kind::paid_by_points) money("points_discount", entry.applied);
        out_.end_object();
    }

    void write_accrual(const Operation& operation, const Benefit& benefit) {
        const Entry& entry = operation.entry;
        if (!benefit.delay().empty()) text("delay", benefit.delay());
        text("points", program_.point_types[entry.point_type].id);
        points(operation.pending ? "pending" : "accrued", entry.points, entry.point_type);
        if (operation.pending) text("credit_on", benefit.credit_on());
    }

    // No pools of promo codes exist yet, so every code is unknown.
    void write_promo_codes(const OrderDocument& document) {
        out_.key("promo_codes");
        out_.begin_array();
        for (const auto& code : document.promo_codes) {
            out_.begin_object();
            text("code", code);
            text("status", "unknown_code");
            out_.end_object();
        }
        out_.end_array();
    }

    JsonWriter& out_;
    const Program& program_;
    const Order& order_;
    const Calculation& calculation_;
};

}  // namespace

void write_result(JsonWriter& out, const Program& program, const Order& order, const Calculation& calculation,
                  const ResultHeader& header) {
    ResultWriter(out, program, order, calculation).run(header);
}

}  // namespace loyalty::codec

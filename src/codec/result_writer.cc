#include "codec/result_writer.hpp"

#include "codec/json.hpp"

#include <algorithm>

namespace loyalty::codec {

namespace {

constexpr std::string_view buyer_names[] = {"anonymous", "guest", "member"};
constexpr std::string_view kind_names[] = {"discount", "points"};

class Writer {
public:
    Writer(const Program& program, const Order& order, const Calculation& calculation)
        : program_(program), order_(order), calculation_(calculation) {
        out_.reserve(512 + 192 * order.lines.size() + 192 * calculation.operations.size());
    }

    std::string run(const ResultHeader& header) {
        out_ += '{';
        write_header(header);
        write_lines();
        write_shipping();
        write_totals();
        write_points();
        write_operations();
        write_promo_codes(header.document);
        key("optimal");
        out_ += calculation_.optimal ? "true}" : "false}";
        return std::move(out_);
    }

private:
    void key(std::string_view name) {
        if (out_.back() != '{' && out_.back() != '[') out_ += ',';
        out_.append("\"").append(name).append("\":");
    }

    void next_object() {
        if (out_.back() != '[') out_ += ',';
        out_ += '{';
    }

    void text(std::string_view name, std::string_view value) {
        key(name);
        write_string(out_, value);
    }

    void optional_text(std::string_view name, const std::optional<std::string>& value) {
        if (value) text(name, *value);
    }

    void money(std::string_view name, Money amount) {
        key(name);
        append_decimal(out_, amount.units, program_.currency_scale);
    }

    void points(std::string_view name, Points amount, std::uint32_t type) {
        key(name);
        append_decimal(out_, amount.units, program_.point_types[type].scale);
    }

    void count(std::string_view name, std::size_t number) {
        key(name);
        out_ += std::to_string(number);
    }

    void quantity(std::string_view name, Quantity amount) {
        key(name);
        out_ += Decimal::of(amount.units, quantity_scale).to_string();
    }

    void write_header(const ResultHeader& header) {
        text("program", program_.id);
        count("version", static_cast<std::size_t>(program_.version));
        optional_text("external_id", header.document.external_id);
        optional_text("member", header.document.member);
        text("buyer", buyer_names[static_cast<int>(order_.buyer.kind)]);
        text("currency", program_.currency);
        if (!header.time.empty()) text("time", header.time);
    }

    void write_lines() {
        std::vector<std::size_t> by_position(order_.lines.size());
        for (std::size_t i = 0; i < by_position.size(); i++) by_position[order_.lines[i].position] = i;
        key("lines");
        out_ += '[';
        for (const auto i : by_position) {
            const Line& line = order_.lines[i];
            const LineResult& result = calculation_.lines[i];
            next_object();
            text("id", line.id);
            text("product", line.product);
            quantity("quantity", line.quantity);
            money("base_price", line.price);
            money("base", result.base);
            money("discount", result.discount);
            money("points_discount", result.points_discount);
            money("allotted", result.allotted);
            money("price", Money{scaled(result.total.units, {one_unit.units, line.quantity.units})});
            money("total", result.total);
            out_ += '}';
        }
        out_ += ']';
    }

    void write_shipping() {
        key("shipping");
        out_ += '{';
        money("base", calculation_.shipping.base);
        money("discount", calculation_.shipping.discount);
        money("total", calculation_.shipping.total);
        out_ += '}';
    }

    void write_totals() {
        Quantity items;
        for (const auto& line : order_.lines) items += line.quantity;
        const LineResult& goods = calculation_.goods;
        const LineResult& shipping = calculation_.shipping;
        key("totals");
        out_ += '{';
        count("lines", order_.lines.size());
        quantity("items", items);
        count("benefits", calculation_.benefits);
        money("goods", goods.total);
        money("base", goods.base + shipping.base);
        money("discount", goods.discount + shipping.discount);
        money("points_discount", goods.points_discount + shipping.points_discount);
        money("total", calculation_.total);
        out_ += '}';
    }

    void write_points() {
        key("points");
        out_ += '[';
        for (std::uint32_t type = 0; order_.buyer.kind == BuyerKind::member && type < calculation_.points.size(); type++) {
            const Balance& before = order_.buyer.balances[type];
            const PointsResult& result = calculation_.points[type];
            next_object();
            text("points", program_.point_types[type].id);
            points("total_before", before.total, type);
            points("active_before", before.active, type);
            points("spent", result.spent, type);
            points("accrued", result.accrued, type);
            points("pending", result.pending, type);
            points("total_after", before.total - result.spent + result.accrued, type);
            points("active_after", before.active - result.spent + result.accrued - result.delayed, type);
            out_ += '}';
        }
        out_ += ']';
    }

    void write_operations() {
        key("operations");
        out_ += '[';
        for (const auto& operation : calculation_.operations) write_operation(operation);
        out_ += ']';
    }

    void write_operation(const Operation& operation) {
        const Entry& entry = operation.entry;
        const BenefitEntry& benefit = program_.benefits[entry.benefit];
        const Condition& condition = program_.conditions[benefit.condition];
        const Promotion& promotion = program_.promotions[condition.promotion];
        next_object();
        if (entry.target == Entry::Target::line) {
            text("line", order_.lines[entry.line].id);
            text("product", order_.lines[entry.line].product);
        } else {
            text("target", entry.target == Entry::Target::shipping ? "shipping" : "order");
        }
        text("promotion", promotion.id);
        text("promotion_type", kind_names[static_cast<int>(promotion.kind)]);
        text("benefit", benefit.type->name);
        text("level", condition.level == Level::product ? "product" : "order");
        switch (entry.kind) {
            case Entry::Kind::money:
                money("discount", entry.applied);
                break;
            case Entry::Kind::paid_by_points:
                money("points_discount", entry.applied);
                text("points", program_.point_types[entry.point_type].id);
                points("spent", operation.spent, entry.point_type);
                break;
            case Entry::Kind::accrual:
                write_accrual(operation, *benefit.rule);
                break;
        }
        if (entry.applied < entry.asked) money("cut", entry.asked - entry.applied);
        out_ += '}';
    }

    void write_accrual(const Operation& operation, const Benefit& benefit) {
        const Entry& entry = operation.entry;
        text("points", program_.point_types[entry.point_type].id);
        points(operation.pending ? "pending" : "accrued", entry.points, entry.point_type);
        if (operation.pending) text("credit_on", benefit.credit_on());
        if (!benefit.delay().empty()) text("delay", benefit.delay());
    }

    // No pools of promo codes exist yet, so every code is unknown.
    void write_promo_codes(const OrderDocument& document) {
        key("promo_codes");
        out_ += '[';
        for (const auto& code : document.promo_codes) {
            next_object();
            text("code", code);
            text("status", "unknown_code");
            out_ += '}';
        }
        out_ += ']';
    }

    const Program& program_;
    const Order& order_;
    const Calculation& calculation_;
    std::string out_;
};

}  // namespace

std::string write_result(const Program& program, const Order& order, const Calculation& calculation, const ResultHeader& header) {
    return Writer(program, order, calculation).run(header);
}

}  // namespace loyalty::codec

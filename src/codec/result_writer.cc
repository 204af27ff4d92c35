#include "codec/result_writer.hpp"

#include "core/calculate/benefit.hpp"

#include <algorithm>
#include <deque>

namespace loyalty::codec {

namespace {


// What is written must live until it is read.
const std::string& kept_gift_line_id(std::size_t number) {
    static std::deque<std::string> ids;
    while (ids.size() <= number) ids.push_back(gift_line_id(ids.size()));
    return ids[number];
}

// In the parts that repeat, keys come in the order in which jsonb keeps them, shorter ones first: sorting them there
// would cost more than all the rest of writing.
class ResultWriter {
public:
    ResultWriter(JsonWriter& out, const Program& program, const Order& order, const Calculation& calculation)
        : out_(out), program_(program), order_(order), calculation_(calculation) {}

    void run(const ResultHeader& header, Detail detail = Detail::full) {
        out_.begin_object();
        write_members(header, detail);
        out_.end_object();
    }

    void write_members(const ResultHeader& header, Detail detail) {
        write_header(header);
        if (detail >= Detail::lines) write_lines();
        if (detail >= Detail::lines && !calculation_.gifts.empty()) write_gifts();
        write_shipping();
        write_totals();
        write_points();
        if (detail >= Detail::full) write_operations();
        if (detail >= Detail::lines) write_texts();
        write_promo_codes();
        out_.key("optimal");
        out_.boolean(calculation_.optimal);
        if (!calculation_.unproven.empty()) write_unproven();
    }

    // A row for each point type, or operation; `begin_row` writes what stands in front.
    template <class BeginRow>
    void write_point_rows(BeginRow begin_row) {
        for (std::uint32_t type = 0; order_.buyer.kind == BuyerKind::member && type < calculation_.points.size();
             type++) {
            const Balance& before = order_.buyer.balances[type];
            const PointsResult& result = calculation_.points[type];
            out_.begin_object();
            begin_row();
            text("points", program_.point_types[type].id);
            points("total_before", before.total, type);
            points("active_before", before.active, type);
            points("spent", result.spent, type);
            points("accrued", result.accrued, type);
            points("pending", result.pending, type);
            const Balance after = result.after(before);
            points("total_after", after.total, type);
            points("active_after", after.active, type);
            out_.end_object();
        }
    }

    template <class BeginRow>
    void write_operation_rows(BeginRow begin_row) {
        for (const auto& operation : calculation_.operations) {
            out_.begin_object();
            begin_row(operation.entry);
            write_operation(operation);
            out_.end_object();
        }
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

    void price(std::string_view name, UnitPrice amount) {
        out_.key(name);
        out_.number(amount.units, program_.price_scale);
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
        if (program_.version >= 0) count("version", static_cast<std::size_t>(program_.version));
        optional_text("external_id", header.document.external_id);
        if (!order_.buyer.key.empty()) text("member", order_.buyer.key);
        text("buyer", buyer_kind_names[order_.buyer.kind]);
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
            price("price", result.unit_price(line));
            money("total", result.total);
            text("product", line.product);
            money("allotted", result.allotted);
            money("discount", result.discount);
            quantity("quantity", line.quantity);
            price("base_price", line.price);
            if (!line.name.empty()) text("product_name", line.name);
            money("points_discount", result.points_discount);
            out_.end_object();
        }
        out_.end_array();
    }

    // What comes with the order is no line of it, and becomes one when the order is placed.
    void write_gifts() {
        out_.key("gifts");
        out_.begin_array();
        std::size_t number = 0;
        for (const auto& gift : calculation_.gifts) {
            const BenefitEntry& benefit = program_.benefits[gift.benefit];
            const Promotion& promotion = program_.promotions[program_.conditions[benefit.condition].promotion];
            const std::uint32_t product = *benefit.rule->gift();
            out_.begin_object();
            text("line", kept_gift_line_id(++number));
            text("product", program_.reads.gifts[product]);
            if (!order_.gifts[product].name.empty()) text("product_name", order_.gifts[product].name);
            quantity("quantity", gift.quantity);
            money("worth", gift.worth);
            if (gift.sets > 0) count("sets", gift.sets);
            if (!gift.lines.empty()) write_given_for(gift);
            text("promotion", promotion.id);
            text("promotion_name", promotion.name);
            out_.end_object();
        }
        out_.end_array();
    }

    // The lines that it is given for, and of these the units of sets.
    void write_given_for(const GiftResult& gift) {
        out_.key("given_for");
        out_.begin_array();
        for (const auto& units : gift.lines) {
            if (gift.sets > 0 && units.quantity.is_zero()) continue;
            out_.begin_object();
            text("id", order_.lines[units.line].id);
            if (!units.quantity.is_zero()) quantity("units", units.quantity);
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
        const LineResult all = calculation_.all();
        out_.key("totals");
        out_.begin_object();
        count("lines", order_.lines.size());
        quantity("items", items(order_));
        count("benefits", calculation_.benefits);
        money("goods", calculation_.goods.total);
        money("base", all.base);
        money("discount", all.discount);
        money("points_discount", all.points_discount);
        money("total", all.total);
        out_.end_object();
    }

    void write_points() {
        out_.key("points");
        out_.begin_array();
        write_point_rows([] {});
        out_.end_array();
    }

    void write_operations() {
        out_.key("operations");
        out_.begin_array();
        write_operation_rows([](const Entry&) {});
        out_.end_array();
    }

    void write_operation(const Operation& operation) {
        const Entry& entry = operation.entry;
        const BenefitEntry& benefit = program_.benefits[entry.benefit];
        const Condition& condition = program_.conditions[benefit.condition];
        const Promotion& promotion = promotion_of(operation);
        if (entry.applied < entry.asked) money("cut", entry.asked - entry.applied);
        const bool deducts = entry.kind == Entry::Kind::deduction;
        if (deducts && !entry.points_cut.is_zero()) points("cut", entry.points_cut, entry.point_type);
        if (entry.kind == Entry::Kind::promo_code) text("pool", benefit.rule->pool());
        if (entry.kind == Entry::Kind::text) text("text", operation.text);
        if (entry.kind == Entry::Kind::gift) text("gift", program_.reads.gifts[*benefit.rule->gift()]);
        if (entry.target == Entry::Target::line) text("line", order_.lines[entry.line].id);
        if (entry.sets > 0) count("sets", entry.sets);
        text("level", condition.level == Level::product ? "product" : "order");
        if (entry.kind == Entry::Kind::accrual) write_accrual(operation, *program_.benefits[entry.like].rule);
        const bool spends = deducts || entry.kind == Entry::Kind::paid_by_points;
        if (spends) points("spent", operation.spent, entry.point_type);
        if (touches_some(operation)) quantity("units", operation.units);
        if (spends) text("points", program_.point_types[entry.point_type].id);
        if (entry.target != Entry::Target::line)
            text("target", entry.target == Entry::Target::shipping ? "shipping" : "order");
        text("benefit", benefit.type->name);
        if (entry.kind == Entry::Kind::gift) {
            quantity("quantity", entry.given);
            money("worth", entry.worth);
        }
        if (entry.target == Entry::Target::line) text("product", order_.lines[entry.line].product);
        if (entry.kind == Entry::Kind::money) money("discount", entry.applied);
        text("promotion", promotion.id);
        if (touches_some(operation))
            price("unit_price", UnitPrice::of(entry.found, operation.units, order_.lines[entry.line].price.parts));
        text("promotion_name", promotion.name);
        text("promotion_type", promotion_kind_names[promotion.kind]);
        if (entry.kind == Entry::Kind::paid_by_points) money("points_discount", entry.applied);
    }

    // Whether it changed the price of some units of a line, and not of others: then it says of how many, and what one
    // of them cost when it found them.
    bool touches_some(const Operation& operation) const {
        return !operation.units.is_zero() && operation.units != order_.lines[operation.entry.line].quantity;
    }

    void write_accrual(const Operation& operation, const Benefit& benefit) {
        const Entry& entry = operation.entry;
        if (!benefit.delay().empty()) text("delay", benefit.delay());
        text("points", program_.point_types[entry.point_type].id);
        points(operation.pending ? "pending" : "accrued", entry.points, entry.point_type);
        if (!entry.points_cut.is_zero()) points("cut", entry.points_cut, entry.point_type);
        if (operation.pending) text("credit_on", benefit.credit_on());
    }

    void write_texts() {
        out_.key("texts");
        out_.begin_array();
        for (const auto& operation : calculation_.operations) {
            if (operation.entry.kind != Entry::Kind::text) continue;
            out_.begin_object();
            text("text", operation.text);
            if (operation.entry.target == Entry::Target::line) text("line", order_.lines[operation.entry.line].id);
            text("promotion", promotion_of(operation).id);
            text("promotion_name", promotion_of(operation).name);
            out_.end_object();
        }
        out_.end_array();
    }

    const Promotion& promotion_of(const Operation& operation) const {
        const BenefitEntry& benefit = program_.benefits[operation.entry.benefit];
        return program_.promotions[program_.conditions[benefit.condition].promotion];
    }

    // A quote issues no code: it shows the pool from which placing the order will.
    void write_issued(const Operation& operation) {
        out_.begin_object();
        text("pool", program_.benefits[operation.entry.benefit].rule->pool());
        text("status", "issued");
        if (!operation.text.empty()) text("message", operation.text);
        text("promotion", promotion_of(operation).id);
        text("promotion_name", promotion_of(operation).name);
        out_.end_object();
    }

    // Whose code it is that the buyer may not use is nobody's business.
    void write_promo_codes() {
        out_.key("promo_codes");
        out_.begin_array();
        for (std::size_t i = 0; i < order_.promo_codes.size(); i++) {
            const PromoCode& code = order_.promo_codes[i];
            out_.begin_object();
            text("code", code.given);
            if (code.usable()) text("pool", code.facts->pool);
            text("status", promo_code_status_names[calculation_.promo_codes[i]]);
            out_.end_object();
        }
        for (const auto& operation : calculation_.operations) {
            if (operation.entry.kind == Entry::Kind::promo_code) write_issued(operation);
        }
        out_.end_array();
    }

    JsonWriter& out_;
    const Program& program_;
    const Order& order_;
    const Calculation& calculation_;
};

// The sums over the orders of a test.
struct Sums {
    std::size_t lines = 0;
    std::size_t benefits = 0;
    Quantity items;
    LineResult goods, shipping;

    void add(const TestedOrder& tested) {
        lines += tested.order.lines.size();
        benefits += tested.calculation.benefits;
        for (const auto& line : tested.order.lines) items += line.quantity;
        add(goods, tested.calculation.goods);
        add(shipping, tested.calculation.shipping);
    }

    static void add(LineResult& sum, const LineResult& result) {
        sum.base += result.base;
        sum.discount += result.discount;
        sum.points_discount += result.points_discount;
        sum.total += result.total;
    }
};

class TestWriter {
public:
    TestWriter(JsonWriter& out, std::span<const TestedOrder> orders)
        : out_(out), orders_(orders), program_(orders.front().program) {}

    void run() {
        out_.begin_object();
        text("program", program_.id);
        text("currency", program_.currency);
        write_summary();
        write_rows("points", &TestWriter::write_points);
        write_rows("operations", &TestWriter::write_operations);
        write_rows("orders", &TestWriter::write_order);
        out_.end_object();
    }

private:
    void text(std::string_view name, std::string_view value) {
        out_.key(name);
        out_.text(value);
    }

    void number(std::string_view name, std::size_t value) {
        out_.key(name);
        out_.number(static_cast<std::int64_t>(value), 0);
    }

    void money(std::string_view name, Money amount) {
        out_.key(name);
        out_.number(amount.units, program_.currency_scale);
    }

    void write_summary() {
        Sums sums;
        for (const auto& order : orders_) sums.add(order);
        const Decimal items = Decimal::of(sums.items.units, quantity_scale);
        out_.key("summary");
        out_.begin_object();
        number("orders", orders_.size());
        number("lines", sums.lines);
        out_.key("items");
        out_.number(static_cast<std::int64_t>(items.coefficient()), items.scale());
        number("benefits", sums.benefits);
        write_sum("goods", sums.goods);
        write_sum("shipping", sums.shipping);
        Sums::add(sums.goods, sums.shipping);
        write_sum("total", sums.goods);
        if (orders_.front().order.total) write_given();
        out_.end_object();
    }

    void write_sum(std::string_view name, const LineResult& sum) {
        out_.key(name);
        out_.begin_object();
        money("base", sum.base);
        money("discount", sum.discount);
        money("points_discount", sum.points_discount);
        money("total", sum.total);
        out_.end_object();
    }

    // The totals that the orders were judged by, where they are given and not calculated.
    void write_given() {
        Money sum{};
        for (const auto& order : orders_) sum += order.order.total.value_or(Money{});
        money("given_total", sum);
    }

    void write_rows(std::string_view name, void (TestWriter::*write)(std::size_t)) {
        out_.key(name);
        out_.begin_array();
        for (std::size_t i = 0; i < orders_.size(); i++) (this->*write)(i);
        out_.end_array();
    }

    ResultWriter writer(std::size_t i) { return {out_, orders_[i].program, orders_[i].order, orders_[i].calculation}; }

    // What a row of an order begins with.
    void begin_row(std::size_t i) {
        number("order", i + 1);
        if (orders_[i].header.document.external_id) text("external_id", *orders_[i].header.document.external_id);
    }

    void write_points(std::size_t i) {
        writer(i).write_point_rows([&] {
            begin_row(i);
            if (!orders_[i].order.buyer.key.empty()) text("member", orders_[i].order.buyer.key);
        });
    }

    void write_operations(std::size_t i) {
        writer(i).write_operation_rows([&](const Entry& entry) {
            begin_row(i);
            if (entry.target == Entry::Target::line) number("item", orders_[i].order.lines[entry.line].position + 1);
        });
    }

    void write_order(std::size_t i) { writer(i).run(orders_[i].header); }

    JsonWriter& out_;
    std::span<const TestedOrder> orders_;
    const Program& program_;
};

}  // namespace

void write_test(JsonWriter& out, std::span<const TestedOrder> orders) { TestWriter(out, orders).run(); }

void write_result(JsonWriter& out, const Program& program, const Order& order, const Calculation& calculation,
                  const ResultHeader& header, Detail detail) {
    ResultWriter(out, program, order, calculation).run(header, detail);
}

void write_result_members(JsonWriter& out, const Program& program, const Order& order, const Calculation& calculation,
                          const ResultHeader& header, Detail detail) {
    ResultWriter(out, program, order, calculation).write_members(header, detail);
}

}  // namespace loyalty::codec

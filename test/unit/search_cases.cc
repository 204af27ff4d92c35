#include "unit/search_cases.hpp"

#include "unit/build.hpp"

#include <string>
#include <utility>
#include <vector>

namespace loyalty {

namespace {

using build::decimal;
using build::OrderBuilder;
using build::TreeBuilder;

using Parameter = std::pair<std::string, std::string>;

TreeBenefit benefit(const std::string& name, const std::vector<Parameter>& parameters) {
    TreeBenefit result{name, Parameters(name)};
    for (const auto& [key, value] : parameters) {
        const bool is_number = Decimal::parse(value).has_value();
        result.parameters.add(key, is_number ? Parameters::Type::number : Parameters::Type::text, value);
    }
    return result;
}

TreeBuilder builder_with_segments() {
    TreeBuilder builder(Arbitration::max_benefit);
    builder.point_type("bonus", "1");
    for (const char* id : {"A", "B", "C", "D"}) builder.segment(id);
    return builder;
}

// A promotion of one benefit on all products, the products of a segment, or the order.
struct Sketch {
    const char* benefit;
    const char* on;  // "all", "order" or a segment
    std::vector<Parameter> parameters;
};

void add(TreeBuilder& builder, const std::string& id, const Sketch& sketch, const std::string& parent = "main") {
    std::vector<Parameter> parameters = sketch.parameters;
    const std::string_view name = sketch.benefit;
    const bool is_discount = name != "points_discount" && name != "accrue_points";
    if (!is_discount) parameters.emplace_back("point_type", "bonus");
    std::vector<TreeBenefit> benefits{benefit(sketch.benefit, parameters)};
    const std::string_view on = sketch.on;
    const TreeCondition condition = on == "order" ? build::on_order(benefits)
                                    : on == "all" ? build::on_products(benefits)
                                                  : build::on_products_in({sketch.on}, benefits);
    if (is_discount) {
        builder.promotion(id, {condition}, parent);
    } else {
        builder.points_promotion(id, {condition}, parent);
    }
}

class Random {
public:
    explicit Random(std::mt19937_64& random) : random_(random) {}

    int up_to(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }
    bool chance(int percent) { return up_to(99) < percent; }
    template <class Value>
    Value one_of(std::initializer_list<Value> values) {
        return *(values.begin() + up_to(static_cast<int>(values.size()) - 1));
    }
    std::string number(int least, int most) { return std::to_string(least + up_to(most - least)); }

    // A percentage or an amount off; equal ones are frequent, so that ties are, too.
    std::vector<Parameter> reduction(int most_amount) {
        if (chance(70)) return {{"percent", one_of<const char*>({"10", "10", "20", "25", "50", "50", "33.3", "100"})}};
        return {{"amount", std::to_string(1 + up_to(most_amount - 1)) + "." + number(0, 9)}};
    }

    void add_lines(OrderBuilder& order, int lines, int most_price) {
        for (int i = 0; i < lines; ++i) {
            order.line(std::to_string(i), 1 + up_to(most_price), chance(20) ? "1.5" : number(1, 3));
            std::vector<std::uint32_t> segments;
            for (std::uint32_t segment = 0; segment < 4; ++segment) {
                if (chance(50)) segments.push_back(segment);
            }
            order.in_segments(segments);
            if (chance(30)) order.min_price(up_to(most_price / 2));
        }
    }

private:
    std::mt19937_64& random_;
};

constexpr const char* segments[] = {"A", "B", "C", "D"};

}  // namespace

Case interacting_promotions(int promotions, int max_discount) {
    const std::vector<Sketch> sketches = {
        {"discount", "all", {{"percent", "15"}, {"max_items", "3"}, {"pick", "cheapest"}}},
        {"accrue_points", "all", {{"percent", "5"}}},
        {"points_discount", "A", {{"percent", "20"}, {"max_items", "2"}, {"pick", "most_expensive"}}},
        {"discount", "order", {{"amount", "30"}}},
        {"discount", "A", {{"percent", "25"}, {"max_items", "2"}, {"pick", "most_expensive"}}},
        {"accrue_points", "B", {{"percent", "3"}}},
        {"discount", "C", {{"percent", "10"}}},
        {"points_discount", "B", {{"percent", "30"}}},
        {"discount", "all", {{"percent", "50"}, {"max_items", "1"}, {"pick", "cheapest"}}},
        {"discount", "B", {{"amount", "5"}, {"max_items", "4"}, {"pick", "line_order"}}},
        {"accrue_points", "order", {{"points", "100"}}},
        {"discount", "D", {{"percent", "20"}, {"max_items", "2"}, {"pick", "cheapest"}}},
        {"points_discount", "order", {{"percent", "15"}}},
        {"discount", "all", {{"percent", "12"}, {"max_items", "5"}, {"pick", "line_order"}}},
        {"accrue_points", "A", {{"percent", "8"}}},
        {"discount", "C", {{"percent", "35"}, {"max_items", "1"}, {"pick", "most_expensive"}}},
        {"discount", "order", {{"percent", "7"}}},
        {"points_discount", "D", {{"percent", "25"}, {"max_items", "3"}, {"pick", "cheapest"}}},
        {"discount", "B", {{"percent", "18"}, {"max_items", "2"}, {"pick", "most_expensive"}}},
        {"accrue_points", "order", {{"percent", "2"}}},
    };
    TreeBuilder builder = builder_with_segments();
    if (max_discount < 100) builder.main().max_discount_percent = decimal(std::to_string(max_discount));
    for (int i = 0; i < promotions; ++i)
        add(builder, "p" + std::to_string(10 + i), sketches[static_cast<std::size_t>(i)]);

    OrderBuilder order;
    order.line("1", 4'990, "2").in_segments({0});
    order.line("2", 12'900).in_segments({0, 1});
    order.line("3", 890, "3").in_segments({2});
    order.line("4", 2'450).in_segments({1, 3});
    order.line("5", 1'290, "2").in_segments({2, 3});
    order.line("6", 7'999).in_segments({1}).min_price(6'000);
    order.line("7", 349, "4").in_segments({3});
    order.line("8", 3'175).in_segments({0, 2});
    order.shipping(499).balance(6'000).redeem(0);
    return {builder.tree, order.get()};
}

Case lowering_promotions(int promotions) {
    TreeBuilder builder = builder_with_segments();
    for (int i = 0; i < promotions; ++i) {
        const char* on = i % 3 == 0 ? "all" : segments[i % 4];
        const std::string share = std::to_string(1 + i * 7 % 5) + (i % 2 == 0 ? "" : ".5");
        const bool is_amount = i % 10 == 9;
        add(builder, "p" + std::to_string(100 + i), {"discount", on, {{is_amount ? "amount" : "percent", share}}});
    }
    OrderBuilder order;
    order.line("1", 12'990).in_segments({0, 3});
    order.line("2", 4'995, "2").in_segments({1}).min_price(2'999);
    order.line("3", 1'749, "3").in_segments({2, 3});
    order.line("4", 899).in_segments({0, 1, 2}).min_price(500);
    order.line("5", 24'500).in_segments({});
    return {builder.tree, order.balance(0).get()};
}

namespace {

// A segment for each promotion, g1, g2, …, of which `contains(promotion, line)` says what lines are in it; both count
// from 1.
template <class Contains>
void in_overlapping_segments(OrderBuilder& order, int promotions, int line, const Contains& contains) {
    std::vector<std::uint32_t> in;
    for (int i = 1; i <= promotions; ++i) {
        if (contains(i, line)) in.push_back(static_cast<std::uint32_t>(i - 1));
    }
    order.in_segments(in);
}

std::string two_digits(int number) { return (number < 10 ? "0" : "") + std::to_string(number); }

TreeBuilder builder_with_segments_for(int promotions) {
    TreeBuilder builder(Arbitration::max_benefit);
    builder.point_type("bonus", "1");
    for (int i = 1; i <= promotions; ++i) builder.segment("g" + two_digits(i));
    return builder;
}

}  // namespace

Case picking_promotions(int promotions) {
    TreeBuilder builder = builder_with_segments_for(promotions);
    for (int i = 1; i <= promotions; ++i) {
        const std::string segment = "g" + two_digits(i);
        const char* first = i % 2 == 0 ? "most_expensive" : "cheapest";
        add(builder, "p" + two_digits(i),
            {"discount",
             segment.c_str(),
             {{"percent", std::to_string(10 + i * 17 % 40)},
              {"max_items", std::to_string(1 + i % 3)},
              {"pick", first}}});
    }
    OrderBuilder order;
    for (int line = 1; line <= 12; ++line) {
        order.line(two_digits(line), 100 * (5 + line * 37 % 95), std::to_string(1 + line % 3));
        in_overlapping_segments(order, promotions, line,
                                [](int i, int l) { return (i * l * 7'919 + i * 104'729 + 4) % 31 % 2 == 0; });
    }
    return {builder.tree, order.balance(0).get()};
}

Case covering_promotions(int promotions) {
    TreeBuilder builder = builder_with_segments_for(promotions);
    for (int i = 1; i <= promotions; ++i) {
        const std::string segment = "g" + two_digits(i);
        add(builder, "p" + two_digits(i), {"discount", segment.c_str(), {{"percent", "100"}}});
    }
    OrderBuilder order;
    for (int line = 1; line <= 40; ++line) {
        order.line(two_digits(line), 100 * (5 + line * 37 % 95), std::to_string(1 + line % 3));
        in_overlapping_segments(order, promotions, line, [promotions](int i, int l) {
            return (i * i * 7 + l * l * 13 + i * l * 5) % 97 % 5 == 0 || l % promotions + 1 == i;
        });
    }
    return {builder.tree, order.balance(0).get()};
}

Case rounding_promotions(int promotions) {
    TreeBuilder builder = builder_with_segments_for(promotions);
    for (int i = 1; i <= promotions; ++i) {
        const std::string segment = "g" + two_digits(i), share = std::to_string(3 + i * 7 % 20);
        const std::string step = std::to_string(2 + i * 3 % 9);
        const char* direction = i % 8 == 0 ? "down" : i % 8 == 4 ? "nearest" : "up";
        const Sketch sketches[] = {{"round_price", segment.c_str(), {{"step", step}, {"direction", direction}}},
                                   {"accrue_points", segment.c_str(), {{"percent", share}}},
                                   {"round_price", segment.c_str(), {{"step", step}, {"direction", "nearest"}}},
                                   {"discount", segment.c_str(), {{"percent", share}}}};
        add(builder, "p" + two_digits(i), sketches[i % 4]);
    }
    OrderBuilder order;
    for (int line = 1; line <= 10; ++line) {
        order.line(two_digits(line), 100 * (5 + line * 37 % 95) + line * 17, std::to_string(1 + line % 3));
        in_overlapping_segments(order, promotions, line,
                                [](int i, int l) { return (i * i * 3 + l * l * 11 + i * l * 7) % 31 % 3 == 0; });
    }
    return {builder.tree, order.balance(0).get()};
}

Case random_lowering_case(std::mt19937_64& generator) {
    Random random(generator);
    TreeBuilder builder = builder_with_segments();
    if (random.chance(20)) builder.main().max_discount_amount = decimal(random.number(1, 30));
    if (random.chance(30)) builder.main().min_product_price_percent = decimal(random.number(10, 60));
    if (random.chance(40)) builder.group("g", Arbitration::consistent);
    const bool small = random.chance(50);
    for (int left = 2 + random.up_to(6), i = 0; i < left; ++i) {
        const char* on = random.chance(40) ? "all" : segments[random.up_to(3)];
        const bool in_group = builder.tree.groups.size() > 1 && random.chance(40);
        add(builder, "p" + std::to_string(i), {"discount", on, random.reduction(small ? 1 : 20)},
            in_group ? "g" : "main");
    }
    OrderBuilder order;
    random.add_lines(order, 1 + random.up_to(2), small ? 20 : 5'000);
    return {builder.tree, order.balance(0).get()};
}

Case random_mixture(std::mt19937_64& generator) {
    Random random(generator);
    TreeBuilder builder = builder_with_segments();
    if (random.chance(50)) builder.main().max_discount_percent = decimal(random.number(10, 60));
    if (random.chance(30)) builder.group("g", random.one_of({Arbitration::consistent, Arbitration::max_benefit}));
    for (int left = 5 + random.up_to(3), i = 0; i < left; ++i) {
        Sketch sketch{"discount", random.chance(40) ? "all" : segments[random.up_to(3)], random.reduction(15)};
        const int kind = random.up_to(9);
        if (kind < 3) sketch = {"accrue_points", sketch.on, {{"percent", random.number(1, 30)}}};
        if (kind == 3 || kind == 4) sketch = {"points_discount", sketch.on, {{"percent", random.number(10, 60)}}};
        if (kind == 5) sketch.on = "order";
        if (kind >= 3 && kind != 5 && random.chance(60)) {
            sketch.parameters.emplace_back("max_items", random.number(1, 3));
            sketch.parameters.emplace_back("pick", random.one_of({"line_order", "cheapest", "most_expensive"}));
        }
        if (random.chance(8)) {
            sketch = {random.one_of({"round_price", "round_order_price"}), sketch.on, {{"step", random.number(1, 9)}}};
            const bool of_order = std::string_view(sketch.benefit) == "round_order_price";
            sketch.on = of_order ? "order" : "all";
            sketch.parameters.emplace_back("direction", random.one_of({"nearest", "down", "up"}));
        }
        const bool in_group = builder.tree.groups.size() > 1 && random.chance(30);
        add(builder, "p" + std::to_string(i), sketch, in_group ? "g" : "main");
    }
    OrderBuilder order;
    random.add_lines(order, 2 + random.up_to(3), 5'000);
    order.shipping(random.up_to(300)).balance(random.up_to(5'000)).redeem(0);
    return {builder.tree, order.get()};
}

Case random_picking_case(std::mt19937_64& generator) {
    Random random(generator);
    TreeBuilder builder = builder_with_segments();
    if (random.chance(15)) builder.main().max_discount_percent = decimal(random.number(20, 80));
    const bool only_picks = random.chance(70);
    for (int left = 4 + random.up_to(4), i = 0; i < left; ++i) {
        Sketch sketch{"discount", random.chance(30) ? "all" : segments[random.up_to(3)], {}};
        sketch.parameters.emplace_back("percent", random.number(5, random.chance(30) ? 97 : 50));
        if (only_picks || random.chance(70)) {
            sketch.parameters.emplace_back("max_items", random.number(1, 4));
            sketch.parameters.emplace_back(
                "pick", random.one_of({"cheapest", "cheapest", "most_expensive", "most_expensive", "line_order"}));
        } else if (random.chance(30)) {
            sketch = {"accrue_points", sketch.on, {{"percent", random.number(1, 30)}}};
        }
        add(builder, "p" + std::to_string(i), sketch);
    }
    // Small prices come down to nothing.
    OrderBuilder order;
    random.add_lines(order, 2 + random.up_to(3), random.one_of({9, 60, 1'000, 20'000}));
    return {builder.tree, order.balance(0).get()};
}

}  // namespace loyalty

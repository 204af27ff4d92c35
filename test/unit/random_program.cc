#include "unit/random_program.hpp"

#include "unit/build.hpp"

#include <set>

namespace loyalty {

namespace {

class Dice {
public:
    explicit Dice(std::mt19937_64& random) : random_(random) {}

    int up_to(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }
    bool chance(int percent) { return up_to(99) < percent; }
    template <class Value>
    Value one_of(std::initializer_list<Value> values) {
        return *(values.begin() + up_to(static_cast<int>(values.size()) - 1));
    }

private:
    std::mt19937_64& random_;
};

constexpr std::int64_t moments_us[] = {1'000 * day_us, 1'100 * day_us, 1'200 * day_us};

LocalTime at(std::int64_t us) { return {us, us}; }

class Maker {
public:
    explicit Maker(std::mt19937_64& random) : dice_(random) {}

    Tree make() {
        tree_.program = "main";
        tree_.currency = "EUR";
        tree_.time_zone = "UTC";
        if (dice_.chance(20)) tree_.price_scale = 4;
        for (const char* id : {"A", "B", "C"}) {
            Segment segment;
            segment.id = id;
            tree_.segments.push_back(segment);
        }
        tree_.point_types.push_back(
            {"bonus", PointKind::standard, 2, build::decimal(dice_.one_of<const char*>({"1", "10"}))});
        add_groups();
        for (int left = 1 + dice_.up_to(5); left > 0; --left) add_promotion();
        return std::move(tree_);
    }

private:
    void add_groups() {
        for (int i = 0, groups = 1 + dice_.up_to(3); i < groups; ++i) {
            TreeGroup group;
            group.id = i == 0 ? "main" : "g" + std::to_string(i);
            if (i > 0) group.parent = tree_.groups[static_cast<std::size_t>(dice_.up_to(i - 1))].id;
            group.position = dice_.up_to(1000);
            group.arbitration =
                dice_.one_of({Arbitration::consistent, Arbitration::consistent, Arbitration::incompatibility,
                              Arbitration::summation, Arbitration::max_benefit});
            if (group.arbitration == Arbitration::max_benefit && dice_.chance(25)) group.best = Best::single;
            if (dice_.chance(20)) group.max_discount_percent = percent();
            if (!group.max_discount_percent && dice_.chance(10)) group.max_discount_amount = money(5000);
            if (dice_.chance(12)) group.min_product_price_percent = percent();
            if (!group.min_product_price_percent && dice_.chance(6)) group.min_product_price_amount = fine_price(500);
            tree_.groups.push_back(group);
        }
    }

    Decimal percent() {
        return build::decimal(dice_.one_of<const char*>({"5", "10", "10", "15", "20", "25", "30", "50", "33.3", "70"}));
    }
    Decimal money(int most) { return Decimal::of(1 + dice_.up_to(most), 2); }
    Decimal fine_price(int most) { return Decimal::of(1 + dice_.up_to(most), tree_.price_scale.value_or(2)); }

    std::set<Arbitration> around(const std::string& id) const {
        std::set<Arbitration> types;
        for (std::string parent = id; !parent.empty();) {
            const auto group = std::find_if(tree_.groups.begin(), tree_.groups.end(),
                                            [&](const TreeGroup& one) { return one.id == parent; });
            types.insert(group->arbitration);
            parent = group->parent;
        }
        return types;
    }

    void add_promotion() {
        TreePromotion promotion;
        promotion.id = "p" + std::to_string(tree_.promotions.size());
        promotion.parent =
            tree_.groups[static_cast<std::size_t>(dice_.up_to(static_cast<int>(tree_.groups.size()) - 1))].id;
        promotion.position = dice_.up_to(1000);
        promotion.state = dice_.chance(97) ? PromotionState::active : PromotionState::inactive;
        promotion.kind = dice_.chance(70) ? PromotionKind::discount : PromotionKind::points;
        promotion.audience =
            dice_.one_of({Audience::everyone, Audience::everyone, Audience::members, Audience::guests});
        if (promotion.kind == PromotionKind::points && promotion.audience == Audience::guests)
            promotion.audience = Audience::members;
        promotion.benefit_rule = dice_.chance(75) ? BenefitRule::sequential : BenefitRule::parallel;
        if (dice_.chance(12)) promotion.starts_at = at(moments_us[dice_.up_to(1)]);
        if (dice_.chance(12)) promotion.ends_at = at(moments_us[1 + dice_.up_to(1)]);
        if (dice_.chance(10)) promotion.pool = dice_.one_of<const char*>({"pool1", "pool2"});
        if (dice_.chance(10)) promotion.channels.push_back(dice_.one_of<const char*>({"web", "shop"}));
        if (dice_.chance(30)) promotion.minimum.total = money(9000);
        for (int left = dice_.chance(80) ? 1 : 2; left > 0; --left)
            promotion.conditions.push_back(condition(promotion));
        tree_.promotions.push_back(promotion);
    }

    TreeCondition condition(const TreePromotion& promotion) {
        TreeCondition condition;
        condition.level = dice_.chance(65) ? Level::product : Level::order;
        if (condition.level == Level::product) {
            if (dice_.chance(50)) {
                condition.mode = dice_.chance(75) ? ConditionMode::in : ConditionMode::outside;
                condition.segments.push_back(dice_.one_of<const char*>({"A", "B", "C"}));
            }
            condition.untouched = dice_.chance(8);
            if (dice_.chance(8)) condition.minimum.total = money(5000);
            if (dice_.chance(5)) condition.minimum.items = Decimal(1 + dice_.up_to(2));
        }
        for (int left = dice_.chance(85) ? 1 : 2; left > 0; --left)
            condition.benefits.push_back(benefit(promotion, condition.level));
        return condition;
    }

    TreeBenefit benefit(const TreePromotion& promotion, Level level) {
        const auto types = around(promotion.parent);
        if (promotion.kind == PromotionKind::points) {
            const bool adds = promotion.benefit_rule == BenefitRule::parallel || types.contains(Arbitration::summation);
            const bool may_multiply = !adds && !types.contains(Arbitration::incompatibility);
            if (may_multiply && dice_.chance(25)) return multiplier(level);
            return points(level);
        }
        const bool summable = promotion.benefit_rule == BenefitRule::parallel || types.contains(Arbitration::summation);
        if (!summable && dice_.chance(5)) return rounding(level);
        if (!summable && level == Level::product && dice_.chance(3))
            return build::benefit("price_from_field", {{"field", "x"}});
        if (!types.contains(Arbitration::max_benefit) && dice_.chance(4))
            return build::benefit("text", {{"template", "Hello"}});
        if (level == Level::product && dice_.chance(9)) return set();
        return discount(level);
    }

    TreeBenefit set() {
        TreeBenefit benefit{"set", Parameters("set")};
        if (dice_.chance(60)) benefit.parameters.add("buy", "[buy]", parts());
        benefit.parameters.add("get", "[get]", parts());
        const auto what = dice_.one_of<std::string>({"percent", "percent", "amount", "price"});
        add(benefit, what, what == "percent" ? percent() : money(2000));
        if (dice_.chance(40)) add(benefit, "max_times", Decimal(1 + dice_.up_to(2)));
        if (dice_.chance(30)) add(benefit, "share", std::string("get"));
        if (what != "price" && dice_.chance(30)) add(benefit, "pick", std::string("most_expensive"));
        return benefit;
    }

    std::vector<Parameters> parts() {
        std::vector<Parameters> parts;
        for (int left = dice_.chance(75) ? 1 : 2; left > 0; --left) {
            Parameters part("set");
            part.add("count", Parameters::Type::number, std::to_string(1 + dice_.up_to(1)));
            if (dice_.chance(25))
                part.add("segments", Parameters::Type::texts, "[]",
                         {std::string(dice_.one_of<const char*>({"A", "B", "C"}))});
            parts.push_back(std::move(part));
        }
        return parts;
    }

    TreeBenefit rounding(Level level) {
        return build::benefit(
            level == Level::product ? "round_price" : "round_order_price",
            {{"step", money(100).to_string()}, {"direction", dice_.one_of<std::string>({"down", "up", "nearest"})}});
    }

    TreeBenefit discount(Level level) {
        TreeBenefit benefit{"discount", Parameters("discount")};
        if (dice_.chance(7)) return stepped(level);
        const bool is_amount = dice_.chance(25);
        add(benefit, is_amount ? "amount" : "percent", is_amount ? money(1000) : percent());
        if (level == Level::order && dice_.chance(20)) {
            const auto target = dice_.one_of<std::string>({"order", "shipping"});
            add(benefit, "target", target);
            if (target == "shipping") return benefit;
        }
        add_extent(benefit, level, is_amount);
        return benefit;
    }

    TreeBenefit stepped(Level level) {
        TreeBenefit benefit{"discount", Parameters("discount")};
        if (dice_.chance(50)) add(benefit, "by", dice_.one_of<std::string>({"goods", "items", "lines_total"}));
        const bool is_amount = dice_.chance(50);
        std::vector<Parameters> steps;
        for (int i = 0, from = dice_.up_to(30); i < 2; ++i, from += 1 + dice_.up_to(30)) {
            Parameters step("discount");
            step.add("from", Parameters::Type::number, std::to_string(from));
            step.add(is_amount ? "amount" : "percent", Parameters::Type::number,
                     (is_amount ? money(1000) : percent()).to_string());
            steps.push_back(std::move(step));
        }
        benefit.parameters.add("steps", "[steps]", std::move(steps));
        add_extent(benefit, level, false);
        return benefit;
    }

    void add_extent(TreeBenefit& benefit, Level level, bool is_amount) {
        if (level == Level::product && is_amount && dice_.chance(40))
            add(benefit, "per", dice_.one_of<std::string>({"line", "order"}));
        if (level == Level::order && dice_.chance(15))
            benefit.parameters.add("segments", Parameters::Type::texts, "[]",
                                   {std::string(dice_.one_of<const char*>({"A", "B"}))});
        if (!dice_.chance(15)) return;
        add(benefit, "max_items", Decimal(1 + dice_.up_to(2)));
        if (dice_.chance(50)) add(benefit, "pick", dice_.one_of<std::string>({"cheapest", "most_expensive"}));
        if (dice_.chance(25)) add(benefit, "max_items_per", std::string("line"));
    }

    TreeBenefit multiplier(Level level) {
        TreeBenefit benefit = build::benefit(
            "multiply_points", {{"point_type", "bonus"}, {"factor", dice_.one_of<std::string>({"1.5", "2", "3"})}});
        if (level == Level::order && dice_.chance(25))
            benefit.parameters.add("segments", Parameters::Type::texts, "[]",
                                   {std::string(dice_.one_of<const char*>({"A", "B"}))});
        return benefit;
    }

    TreeBenefit bands() {
        TreeBenefit benefit{"accrue_points", Parameters("accrue_points")};
        add(benefit, "point_type", std::string("bonus"));
        benefit.parameters.add("marginal", Parameters::Type::other, "true");
        std::vector<Parameters> steps;
        for (int i = 0, from = dice_.up_to(30); i < 2; ++i, from += 1 + dice_.up_to(30)) {
            Parameters step("accrue_points");
            step.add("from", Parameters::Type::number, std::to_string(from));
            step.add("percent", Parameters::Type::number, percent().to_string());
            steps.push_back(std::move(step));
        }
        benefit.parameters.add("steps", "[steps]", std::move(steps));
        return benefit;
    }

    TreeBenefit points(Level level) {
        if (dice_.chance(15)) return bands();
        const bool pays = dice_.chance(50);
        TreeBenefit benefit{pays ? "points_discount" : "accrue_points",
                            Parameters(pays ? "points_discount" : "accrue_points")};
        add(benefit, "point_type", std::string("bonus"));
        const bool is_number = dice_.chance(25);
        add(benefit, is_number ? "points" : "percent", is_number ? money(1000) : percent());
        return benefit;
    }

    static void add(TreeBenefit& benefit, const std::string& name, const Decimal& value) {
        benefit.parameters.add(name, Parameters::Type::number, value.to_string());
    }
    static void add(TreeBenefit& benefit, const std::string& name, const std::string& value) {
        benefit.parameters.add(name, Parameters::Type::text, value);
    }

    Dice dice_;
    Tree tree_;
};

Line random_line(Dice& dice, const Program& program) {
    Line line;
    line.price = program.price(1 + dice.up_to(dice.one_of({3, 30, 1'000, 20'000, 1'000'000})));
    line.quantity = Quantity{(1 + dice.up_to(3)) * one_unit.units};
    if (dice.chance(15)) line.quantity = Quantity{1 + dice.up_to(3'000'000)};
    if (dice.chance(8)) line.min_price = program.price(dice.up_to(2'000));
    for (std::uint32_t segment = 0; segment < program.segments.size(); ++segment) {
        if (dice.chance(60)) line.segments.push_back(segment);
    }
    const Decimal field = Decimal::of(dice.up_to(20'000), 2);
    line.values.assign(program.reads.product.size(), {field, field.to_string()});
    return line;
}

void number(Order& order) {
    for (std::size_t i = 0; i < order.lines.size(); ++i) {
        Line& line = order.lines[i];
        line.id = std::string(1, static_cast<char>('a' + i));
        line.product = "P" + line.id;
        line.position = static_cast<std::uint32_t>(i);
        line.base = times(line.price, line.quantity);
    }
}

void choose_buyer(Dice& dice, const Program& program, Order& order) {
    order.buyer = {};
    order.redeem.clear();
    order.buyer.kind = dice.chance(70) ? BuyerKind::member : BuyerKind::anonymous;
    const Points active{dice.one_of({0, 100, 10'000, 2'000'000'000})};
    order.buyer.balances.assign(program.point_types.size(), {active, active, true});
    if (order.buyer.kind == BuyerKind::member && dice.chance(80)) order.redeem.push_back({0, std::nullopt});
}

void choose_place(Dice& dice, const Program& program, Order& order) {
    order.time = at(moments_us[dice.up_to(2)] - (dice.chance(40) ? day_us : 0));
    order.channel = dice.one_of<std::string>({"", "web", "shop"});
    order.pools.clear();
    for (std::uint32_t pool = 0; pool < program.pools.size(); ++pool) {
        if (dice.chance(70)) order.pools.push_back(pool);
    }
    order.shipping = Money{dice.chance(40) ? dice.up_to(1'000) : 0};
}

}  // namespace

Tree random_program(std::mt19937_64& random) { return Maker(random).make(); }

Order random_order(std::mt19937_64& random, const Program& program) {
    Dice dice(random);
    Order order;
    for (int left = 1 + dice.up_to(dice.one_of({0, 1, 3})); left > 0; --left)
        order.lines.push_back(random_line(dice, program));
    number(order);
    choose_buyer(dice, program, order);
    choose_place(dice, program, order);
    return order;
}

Order changed(std::mt19937_64& random, const Program& program, const Order& order) {
    Dice dice(random);
    Order other = order;
    const auto place = static_cast<std::size_t>(dice.up_to(static_cast<int>(other.lines.size()) - 1));
    Line& line = other.lines[place];
    switch (dice.up_to(7)) {
        case 0:
            line = random_line(dice, program);
            break;
        case 1:
            line.price.units = std::max<std::int64_t>(
                1, line.price.units * dice.one_of({1, 1, 1, 2, 9, 11}) / dice.one_of({1, 2, 10}));
            break;
        case 2:
            line.price.units += 1 + dice.up_to(10);
            break;
        case 3:
            if (line.price.units > 12) line.price.units -= 1 + dice.up_to(10);
            break;
        case 4:
            choose_buyer(dice, program, other);
            break;
        case 5:
            choose_place(dice, program, other);
            break;
        case 6:
            if (other.lines.size() < 5) other.lines.push_back(random_line(dice, program));
            break;
        default:
            if (other.lines.size() > 1) other.lines.erase(other.lines.begin() + static_cast<std::ptrdiff_t>(place));
    }
    number(other);
    return other;
}

Contents contents_of(const Tree& tree) {
    Contents contents;
    for (const auto& group : tree.groups) {
        if (group.max_discount_percent || group.max_discount_amount || group.min_product_price_percent ||
            group.min_product_price_amount)
            contents.limits = true;
    }
    for (const auto& promotion : tree.promotions) {
        for (const auto& condition : promotion.conditions) {
            if (!condition.segments.empty()) contents.segments = true;
            for (const auto& benefit : condition.benefits) {
                if (benefit.parameters.has("amount") || benefit.parameters.has("points")) contents.amounts = true;
                if (benefit.benefit == "set") contents.sets = true;
            }
        }
    }
    return contents;
}

}  // namespace loyalty

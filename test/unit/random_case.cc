#include "unit/random_case.hpp"

#include "core/benefits/benefit_types.hpp"
#include "core/order/resolve.hpp"
#include "unit/build.hpp"
#include "unit/random_conditions.hpp"

#include <set>
#include <sstream>

namespace loyalty {

namespace {

class Maker {
public:
    Maker(std::mt19937_64& random, int size) : random_(random), size_(size) {}

    Case make_search() {
        plain_ = chance(30);
        fill_market();
        add_point_type("points0", 2, "1");
        add_point_type("points1", one_of({2, 0}), one_of<const char*>({"1", "3"}));
        TreeGroup main;
        main.id = "main";
        main.arbitration = Arbitration::max_benefit;
        if (chance(30)) main.max_discount_amount = money(60);
        tree_.groups.push_back(main);
        if (chance(40)) {
            TreeGroup group;
            group.id = "g";
            group.parent = "main";
            group.position = up_to(1000);
            group.arbitration = one_of({Arbitration::consistent, Arbitration::incompatibility, Arbitration::summation,
                                        Arbitration::max_benefit});
            if (chance(30)) group.max_discount_amount = money(30);
            choose_best(group);
            tree_.groups.push_back(group);
        }
        for (int left = 2 + up_to(3); left > 0; --left) add_small_promotion();
        Order order = make_small_order();
        oracle::Facts facts = facts_of(order);
        add_limits(facts);
        return {tree_, std::move(order), std::move(facts)};
    }

    Case make() {
        fill_market();
        tree_.currency_scale = chance(80) ? 2 : up_to(4);
        if (chance(30)) tree_.price_scale = tree_.currency_scale + up_to(2);
        add_point_types();
        add_partners();
        add_groups();
        add_segments(tree_);
        Order order = make_order();
        oracle::Facts facts = facts_of(order);
        place(random_, order, facts);
        // Five on average.
        const int most = chance(90) ? 8 : 11;
        for (int left = 1 + up_to(std::min(size_, most)); left > 0; --left) add_promotion(order);
        add_limits(facts);
        return {tree_, std::move(order), std::move(facts)};
    }

private:
    int up_to(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }
    bool chance(int percent) { return up_to(99) < percent; }
    template <class Value>
    Value one_of(std::initializer_list<Value> values) {
        return *(values.begin() + up_to(static_cast<int>(values.size()) - 1));
    }

    // What the order's documents say; each line has its own fields.
    oracle::Facts facts_of(const Order& order) {
        oracle::Facts facts;
        facts.today = today;
        facts.gift_prices = {{"mug", 500}, {"pen", 70}};
        facts.currency_scale = tree_.currency_scale;
        for (std::size_t i = 0; i < order.lines.size(); ++i) facts.fields.push_back(fields());
        return facts;
    }

    // Usage limits of some promotions, and what they leave.
    void add_limits(oracle::Facts& facts) {
        for (TreePromotion& promotion : tree_.promotions) {
            if (!chance(20)) continue;
            promotion.usage_limits.max_uses = 1;
            facts.left[promotion.id] = left();
        }
    }

    oracle::Left left() {
        oracle::Left left;
        left.used_up = chance(15);
        if (chance(60)) left.money = chance(10) ? Decimal() : money(2000);
        if (chance(60)) left.points = Decimal::of(one_of({up_to(5), up_to(300), up_to(500000)}), up_to(4));
        return left;
    }

    std::map<std::string, Value> fields() {
        std::map<std::string, Value> fields;
        for (const char* name : {"x", "y"}) {
            if (chance(70)) {
                const Decimal number = Decimal::of(one_of({up_to(30), up_to(3000), up_to(90000)}), up_to(3));
                fields[name] = {number, number.to_string()};
            } else if (chance(60)) {
                fields[name] = one_of<Value>({{std::nullopt, "much"}, {build::decimal("-1"), "-1"}});
            }
        }
        return fields;
    }

    void add_partners() {
        for (int i = 0, partners = up_to(2); i < partners; ++i) {
            TreePartner partner;
            partner.id = "partner" + std::to_string(i);
            if (chance(60)) partner.starts_on = today + one_of({-1, 0, 0, 1});
            tree_.partners.push_back(partner);
        }
        for (const char* sku : {"Pa", "Pb", "Pc", "Pd", "Pe"}) {
            if (tree_.partners.empty() || !chance(70)) continue;
            TreePartnerProduct product;
            product.sku = sku;
            product.partner = "partner" + std::to_string(up_to(static_cast<int>(tree_.partners.size()) - 1));
            if (chance(80)) product.discount_percent = percent();
            if (chance(80)) {
                product.points_unit = one_of({ValueUnit::points, ValueUnit::percent});
                product.points_value =
                    product.points_unit == ValueUnit::percent ? percent() : Decimal::of(1 + up_to(3000), up_to(4));
                if (chance(50)) product.max_payable_points = Decimal::of(1 + up_to(1000), up_to(2));
            }
            tree_.partner_products.push_back(product);
        }
    }

    // The types of arbitration that a promotion stands under.
    std::set<Arbitration> around(const TreePromotion& promotion) const {
        std::set<Arbitration> types;
        for (std::string id = promotion.parent; !id.empty();) {
            const auto group =
                std::find_if(tree_.groups.begin(), tree_.groups.end(), [&](const TreeGroup& g) { return g.id == id; });
            types.insert(group->arbitration);
            id = group->parent;
        }
        return types;
    }

    bool is_best_by_line(const TreePromotion& promotion) const {
        for (std::string id = promotion.parent; !id.empty();) {
            const auto group =
                std::find_if(tree_.groups.begin(), tree_.groups.end(), [&](const TreeGroup& g) { return g.id == id; });
            if (group->best == Best::single_by_line) return true;
            id = group->parent;
        }
        return false;
    }

    // One that may stand where the promotion stands.
    template <class Make>
    TreeBenefit fitting(const TreePromotion& promotion, Level level, const Make& make) {
        TreeBenefit benefit = make();
        while (is_best_by_line(promotion) && looks_at_several_lines(benefit.benefit, level, benefit.parameters))
            benefit = make();
        return benefit;
    }

    bool may_hold_unsummable(const TreePromotion& promotion) const {
        return promotion.benefit_rule == BenefitRule::sequential && !around(promotion).contains(Arbitration::summation);
    }
    bool may_hold_irreplaceable(const TreePromotion& promotion) const {
        return !around(promotion).contains(Arbitration::incompatibility);
    }
    bool may_hold_incomparable(const TreePromotion& promotion) const {
        return !around(promotion).contains(Arbitration::max_benefit);
    }

    void fill_market() {
        tree_.program = "main";
        tree_.currency = "RUB";
        tree_.time_zone = "UTC";
        for (const char* id : {"A", "B", "C"}) {
            Segment segment;
            segment.id = id;
            tree_.segments.push_back(segment);
        }
    }

    void add_point_type(const std::string& id, int scale, const char* ratio) {
        tree_.point_types.push_back({id, PointKind::standard, scale, build::decimal(ratio)});
    }

    void add_small_promotion() {
        TreePromotion promotion;
        promotion.id = "p" + std::to_string(tree_.promotions.size());
        promotion.parent = tree_.groups[static_cast<std::size_t>(up_to(static_cast<int>(tree_.groups.size()) - 1))].id;
        promotion.position = up_to(1000);
        promotion.state = PromotionState::active;
        promotion.kind = plain_ || chance(60) ? PromotionKind::discount : PromotionKind::points;
        promotion.audience = Audience::everyone;
        promotion.benefit_rule = chance(60) ? BenefitRule::sequential : BenefitRule::parallel;
        TreeCondition condition;
        condition.level = plain_ || chance(75) || is_best_by_line(promotion) ? Level::product : Level::order;
        if (condition.level == Level::product && chance(30)) {
            condition.mode = ConditionMode::in;
            condition.segments.push_back("A");
        }
        condition.untouched = !plain_ && condition.level == Level::product && chance(20);
        for (int benefits = 1 + up_to(1); benefits > 0; --benefits) {
            if (!plain_ && promotion.kind == PromotionKind::discount && may_hold_unsummable(promotion) && chance(25)) {
                condition.benefits.push_back(rounding(condition.level, Decimal::of(1 + up_to(6), 2)));
            } else {
                TreeBenefit benefit = fitting(promotion, condition.level, [&] {
                    if (!plain_ && promotion.kind == PromotionKind::discount && condition.level == Level::product &&
                        chance(20))
                        return set();
                    return promotion.kind == PromotionKind::discount ? small_discount(condition.level)
                                                                     : small_points(condition.level);
                });
                condition.benefits.push_back(plain_ ? std::move(benefit)
                                                    : with_steps(std::move(benefit), promotion, condition.level));
            }
        }
        promotion.conditions.push_back(condition);
        tree_.promotions.push_back(promotion);
    }

    Decimal small_percent() {
        return build::decimal(one_of<const char*>({"10", "20", "30", "40", "50", "33.3", "66.7", "100"}));
    }

    void add_small_items(TreeBenefit& benefit) {
        if (plain_ || !chance(60)) return;
        add(benefit, "max_items", Decimal(1 + up_to(2)));
        add(benefit, "pick", one_of<std::string>({"line_order", "cheapest", "most_expensive"}));
        if (chance(20)) add(benefit, "max_items_per", std::string("line"));
    }

    // What an amount on products is for, and of which goods a benefit on orders is.
    void add_extent(TreeBenefit& benefit, Level level, bool is_amount) {
        if (level == Level::product && is_amount && chance(40))
            add(benefit, "per", one_of<std::string>({"line", "order"}));
        if (level == Level::order && chance(20)) {
            std::vector<std::string> segments{one_of<const char*>({"A", "B"})};
            if (chance(30)) segments.emplace_back("C");
            benefit.parameters.add("segments", Parameters::Type::texts, "[]", segments);
        }
    }

    TreeBenefit small_discount(Level level) {
        TreeBenefit benefit{"discount", Parameters("discount")};
        if (chance(70)) {
            add(benefit, "percent", small_percent());
        } else {
            add(benefit, "amount", money(20));
        }
        if (!plain_) add_extent(benefit, level, benefit.parameters.has("amount"));
        add_small_items(benefit);
        return benefit;
    }

    TreeBenefit small_points(Level level) {
        const bool pays = chance(65);
        TreeBenefit benefit{pays ? "points_discount" : "accrue_points",
                            Parameters(pays ? "points_discount" : "accrue_points")};
        add(benefit, "point_type", one_of<std::string>({"points0", "points1"}));
        add(benefit, "percent", small_percent());
        if (pays && level == Level::product) add_small_items(benefit);
        return benefit;
    }

    Order make_small_order() {
        Order order;
        for (int i = 0, lines = 1 + up_to(2); i < lines; ++i) {
            Line line;
            line.id = std::string(1, static_cast<char>('a' + i));
            line.product = "P" + line.id;
            line.position = static_cast<std::uint32_t>(i);
            line.price = price(1 + up_to(one_of({5, 30})));
            line.quantity = Quantity{(1 + up_to(3)) * one_unit.units + (chance(20) ? one_of({500'000, 333'333}) : 0)};
            line.base = times(line.price, line.quantity);
            if (chance(20)) line.min_price = price(up_to(10));
            if (chance(50)) line.segments.push_back(0);
            order.lines.push_back(line);
        }
        repeat_first(order);
        order.buyer.kind = BuyerKind::member;
        for (std::uint32_t type = 0; type < 2; ++type) {
            const Points active{up_to(40)};
            order.buyer.balances.push_back({active, active, true});
            order.redeem.push_back({type, std::nullopt});
        }
        if (chance(50)) std::swap(order.redeem[0], order.redeem[1]);
        return order;
    }

    void add_point_types() {
        const int types = 1 + up_to(std::min(3, size_ / 2));
        for (int i = 0; i < types; ++i) {
            TreePointType type;
            type.id = "points" + std::to_string(i);
            type.scale = one_of({2, 2, 0, 1, 4});
            type.ratio = build::decimal(one_of<const char*>({"1", "1", "10", "0.5", "3", "0.07"}));
            if (i > 0 && chance(15)) type.kind = PointKind::qualification;
            type.rounding = one_of({Rounding::half_up, Rounding::half_up, Rounding::down, Rounding::up});
            if (!plain_ && type.kind == PointKind::standard && chance(25)) limit_redeeming(type);
            tree_.point_types.push_back(type);
        }
    }

    void limit_redeeming(TreePointType& type) {
        if (chance(60)) type.redeem_step = Decimal::of(one_of({1, 5, 70, 500}), type.scale);
        if (chance(50)) type.redeem_min = Decimal::of(1 + up_to(one_of({20, 900})), type.scale);
        if (chance(50)) type.redeem_max_percent = percent();
    }

    void add_groups() {
        TreeGroup main;
        main.id = "main";
        fill(main);
        tree_.groups.push_back(main);
        depths_.push_back(0);
        for (int left = size_ < 2 ? 0 : up_to(std::min(size_, 5)); left > 0; --left) {
            const auto parent = static_cast<std::size_t>(up_to(static_cast<int>(tree_.groups.size()) - 1));
            if (depths_[parent] == 4) continue;
            TreeGroup group;
            group.id = "g" + std::to_string(tree_.groups.size());
            group.parent = tree_.groups[parent].id;
            group.position = up_to(1000);
            fill(group);
            depths_.push_back(depths_[parent] + 1);
            tree_.groups.push_back(group);
        }
    }

    void choose_best(TreeGroup& group) {
        if (group.arbitration == Arbitration::max_benefit && chance(40))
            group.best = one_of({Best::single, Best::single_by_line});
    }

    void fill(TreeGroup& group) {
        group.arbitration = one_of(
            {Arbitration::consistent, Arbitration::incompatibility, Arbitration::summation, Arbitration::max_benefit});
        choose_best(group);
        if (chance(25)) {
            if (chance(50)) {
                group.max_discount_percent = percent();
            } else {
                group.max_discount_amount = money(2000);
            }
        }
        if (chance(20)) {
            if (chance(50)) {
                group.min_product_price_percent = percent();
            } else {
                group.min_product_price_amount = fine_price(700);
            }
        }
    }

    Decimal percent() {
        return build::decimal(one_of<const char*>(
            {"5", "10", "10", "15", "20", "33.3", "50", "50", "80", "100", "0.000001", "12.345678"}));
    }
    Decimal money(int most) { return Decimal::of(1 + up_to(most), tree_.currency_scale); }
    int price_scale() const { return tree_.price_scale.value_or(tree_.currency_scale); }
    Decimal fine_price(int most) { return Decimal::of(1 + up_to(most), price_scale()); }
    UnitPrice price(std::int64_t units) const { return {units, parts_of_money(price_scale(), tree_.currency_scale)}; }

    void add_promotion(const Order& order) {
        TreePromotion promotion;
        promotion.id = "p" + std::to_string(tree_.promotions.size());
        promotion.parent = tree_.groups[static_cast<std::size_t>(up_to(static_cast<int>(tree_.groups.size()) - 1))].id;
        promotion.position = up_to(1000);
        promotion.state = chance(95) ? PromotionState::active : PromotionState::inactive;
        promotion.kind = chance(50) ? PromotionKind::discount : PromotionKind::points;
        promotion.audience = chance(50) ? Audience::members : Audience::everyone;
        promotion.benefit_rule = chance(70) ? BenefitRule::sequential : BenefitRule::parallel;
        for (int left = 1 + up_to(std::min(2, size_ / 3)); left > 0; --left) {
            TreeCondition condition;
            condition.level = chance(60) || is_best_by_line(promotion) ? Level::product : Level::order;
            if (condition.level == Level::product && chance(50)) {
                condition.mode = one_of({ConditionMode::in, ConditionMode::in, ConditionMode::outside});
                for (const Segment& segment : tree_.segments) {
                    if (chance(40)) condition.segments.push_back(segment.id);
                }
                if (condition.segments.empty()) condition.segments.push_back("A");
            }
            if (condition.level == Level::order && chance(20)) {
                condition.mode = one_of({ConditionMode::in, ConditionMode::outside});
                condition.segments.push_back(one_of<const char*>({"large", "first"}));
            }
            if (condition.level == Level::product) {
                condition.untouched = chance(15);
                if (chance(15)) condition.minimum = minimum();
            }
            for (int benefits = 1 + up_to(std::min(2, size_ / 4)); benefits > 0; --benefits) {
                condition.benefits.push_back(fitting(promotion, condition.level,
                                                     [&] { return any_benefit(promotion, condition.level); }));
            }
            promotion.conditions.push_back(condition);
        }
        if (chance(30)) restrict(random_, promotion, order);
        if (chance(10)) promotion.minimum = minimum();
        tree_.promotions.push_back(promotion);
    }

    Minimum minimum() {
        Minimum minimum;
        if (chance(60)) minimum.items = Decimal::of(one_of({10, 10, 20, 25, 30, 1 + up_to(80)}), 1);
        if (!minimum.items || chance(30)) minimum.total = money(one_of({100, 1000, 5000}));
        minimum.current = minimum.total && chance(50);
        return minimum;
    }

    static void add(TreeBenefit& benefit, const std::string& name, const Decimal& value) {
        benefit.parameters.add(name, Parameters::Type::number, value.to_string());
    }
    static void add(TreeBenefit& benefit, const std::string& name, const std::string& value) {
        benefit.parameters.add(name, Parameters::Type::text, value);
    }

    void add_items(TreeBenefit& benefit) {
        if (!chance(30)) return;
        add(benefit, "max_items", Decimal(1 + up_to(3)));
        if (chance(75)) add(benefit, "pick", one_of<std::string>({"line_order", "cheapest", "most_expensive"}));
        if (chance(30)) add(benefit, "max_items_per", std::string("line"));
    }

    // Of one to three parts, some of them of a segment's products.
    TreeBenefit set() {
        TreeBenefit benefit = named("set");
        const auto parts = [&](int count) {
            std::vector<Parameters> parts;
            for (; count > 0; --count) {
                Parameters part("set");
                part.add("count", Parameters::Type::number, std::to_string(1 + up_to(1)));
                if (chance(50))
                    part.add("segments", Parameters::Type::texts, "[]", {one_of<const char*>({"A", "B", "C"})});
                parts.push_back(std::move(part));
            }
            return parts;
        };
        benefit.parameters.add("get", "[get]", parts(1 + (chance(30) ? 1 : 0)));
        if (chance(60)) benefit.parameters.add("buy", "[buy]", parts(1));
        const int kind = up_to(3);
        if (kind < 2) add(benefit, "percent", chance(15) ? Decimal(0) : percent());
        if (kind == 2) add(benefit, "amount", money(one_of({20, 700})));
        if (kind == 3) add(benefit, "price", money(one_of({20, 2000})));
        if (kind != 3 && chance(40)) add(benefit, "pick", one_of<std::string>({"cheapest", "most_expensive"}));
        if (chance(50)) add(benefit, "max_times", Decimal(1 + up_to(2)));
        if (chance(40)) add(benefit, "share", one_of<std::string>({"set", "get"}));
        return benefit;
    }

    TreeBenefit gift(Level level) {
        TreeBenefit benefit = named("gift");
        add(benefit, "product", one_of<std::string>({"mug", "pen", "leaflet"}));
        if (chance(40)) add(benefit, "quantity", Decimal(1 + up_to(2)));
        if (level == Level::product && chance(60)) add(benefit, "per", one_of<std::string>({"set", "set", "order"}));
        return benefit;
    }

    // The benefit at two or three steps: what it says of how much it gives becomes the first.
    TreeBenefit with_steps(TreeBenefit benefit, const TreePromotion& promotion, Level level) {
        const auto kind = [&](const char* name) { return benefit.parameters.has(name); };
        const char* name = kind("percent") ? "percent" : kind("amount") ? "amount" : "points";
        if (!chance(30) || !kind(name) || kind("target") || benefit.benefit == "set") return benefit;
        TreeBenefit stepped = named(benefit.benefit);
        const bool accrues = benefit.benefit == "accrue_points";
        for (const char* common : {"point_type", "pick", "per", "max_items_per", "credit_on"}) {
            if (kind(common)) add(stepped, common, *benefit.parameters.text(common));
        }
        if (kind("max_items")) add(stepped, "max_items", Decimal(*benefit.parameters.count("max_items")));
        if (kind("segments"))
            stepped.parameters.add("segments", Parameters::Type::texts, "[]", *benefit.parameters.texts("segments"));
        auto by = one_of<std::string>({"goods", "items", "lines_total", "lines_items", "line_items", "line_items", ""});
        const bool counts_all = kind("max_items") && !kind("max_items_per");
        const bool once = kind("per") && *benefit.parameters.text("per") == "order";
        const bool marginal = accrues && kind("percent") && chance(40);
        if (marginal) {
            stepped.parameters.add("marginal", Parameters::Type::other, "true");
            by = level == Level::order && !kind("segments") ? one_of<std::string>({"goods", "lines_total", ""}) : "";
        }
        if (by == "line_items" && (level == Level::order || accrues || counts_all || once)) by = "items";
        if (!by.empty()) add(stepped, "by", by);
        const bool units = by.ends_with("items");
        if (!units && !marginal && chance(40)) add(stepped, "at", std::string("current"));
        const bool may_price = benefit.benefit == "discount" && level == Level::product && !kind("per");
        if (may_price && may_hold_unsummable(promotion) && chance(50)) name = "price";
        std::vector<Parameters> steps;
        Decimal from(0);
        for (int left = 2 + up_to(1); left > 0; --left) {
            Parameters step(benefit.benefit);
            step.add("from", Parameters::Type::number, from.to_string());
            step.add(name, Parameters::Type::number, value_of_step(name).to_string());
            steps.push_back(std::move(step));
            const Decimal more = units ? Decimal::of(5 + 5 * up_to(3), 1) : money(one_of({300, 3000}));
            const int scale = std::max(from.scale(), more.scale());
            from = Decimal::of(*from.units(scale) + *more.units(scale), scale);
        }
        if (chance(50)) steps.erase(steps.begin());
        stepped.parameters.add("steps", "[steps]", std::move(steps));
        return stepped;
    }

    Decimal value_of_step(const std::string& name) {
        if (name == "percent") return percent();
        return name == "price" && chance(50) ? fine_price(900) : Decimal(1 + up_to(9));
    }

    TreeBenefit any_benefit(const TreePromotion& promotion, Level level) {
        if (chance(10) && may_hold_incomparable(promotion)) return text();
        if (promotion.kind == PromotionKind::discount) {
            if (chance(30) && may_hold_unsummable(promotion)) {
                return level == Level::product && chance(40)
                           ? price_from_field()
                           : rounding(level, level == Level::product ? fine_price(699) : money(700));
            }
            if (level == Level::order && chance(10) && may_hold_incomparable(promotion)) return promo_code();
            if (level == Level::product && chance(20)) return set();
            if (chance(10) && !is_best_by_line(promotion)) return gift(level);
            return level == Level::product && chance(25) ? partner_discount()
                                                         : with_steps(discount(level), promotion, level);
        }
        if (chance(20) && may_hold_unsummable(promotion) && may_hold_irreplaceable(promotion)) {
            return chance(35) && may_hold_incomparable(promotion) ? deduction(level) : multiply(level);
        }
        if (level == Level::product && chance(20) && may_hold_unsummable(promotion)) return points_from_field();
        return level == Level::product && chance(25) ? partner_points() : with_steps(points(level), promotion, level);
    }

    TreeBenefit multiply(Level level) {
        TreeBenefit benefit = named("multiply_points");
        add(benefit, "point_type", point_type(false).id);
        add(benefit, "factor", Decimal::of(one_of({200, 300, 150, 133, 101}), 2));
        add_extent(benefit, level, false);
        return benefit;
    }

    TreeBenefit deduction(Level level) {
        TreeBenefit benefit = named("deduct_points");
        const auto& type = point_type(false);
        add(benefit, "point_type", type.id);
        add(benefit, "points", Decimal::of(1 + up_to(one_of({9, 500, 50'000})), type.scale));
        add_extent(benefit, level, false);
        return benefit;
    }

    static TreeBenefit named(const std::string& name) { return {name, Parameters(name)}; }

    TreeBenefit text() {
        TreeBenefit benefit = named("text");
        add(benefit, "template", std::string("{{ totals.total }}"));
        return benefit;
    }

    TreeBenefit promo_code() {
        TreeBenefit benefit = named("issue_promo_code");
        add(benefit, "pool", std::string("pool"));
        return benefit;
    }

    TreeBenefit rounding(Level level, const Decimal& step) {
        TreeBenefit benefit = named(level == Level::product ? "round_price" : "round_order_price");
        if (chance(30)) {
            const bool has_halves = (level == Level::product ? price_scale() : tree_.currency_scale) > 0;
            const auto mode = one_of<std::string>(
                {"integer", has_halves ? "half" : "integer", "integer_down", "tens", "nearest_ten"});
            add(benefit, "mode", mode);
            if (level == Level::order && mode != "tens")
                add(benefit, "target", std::string(mode == "integer" ? "goods" : "order"));
            return benefit;
        }
        add(benefit, "step", step);
        if (chance(80)) add(benefit, "direction", one_of<std::string>({"nearest", "down", "up"}));
        return benefit;
    }

    TreeBenefit price_from_field() {
        TreeBenefit benefit = named("price_from_field");
        add(benefit, "field", one_of<std::string>({"x", "y"}));
        if (chance(50)) add(benefit, "factor", build::decimal(one_of<const char*>({"0.75", "0.333333", "1.1", "10"})));
        return benefit;
    }

    void add_some_partners(TreeBenefit& benefit) {
        if (tree_.partners.empty() || !chance(40)) return;
        benefit.parameters.add("partners", Parameters::Type::texts, "[]", {tree_.partners.front().id});
    }

    TreeBenefit partner_discount() {
        TreeBenefit benefit = named("partner_discount");
        add_some_partners(benefit);
        return benefit;
    }

    TreeBenefit partner_points() {
        TreeBenefit benefit = named("partner_points");
        const bool pays = chance(50);
        add(benefit, "mode", std::string(pays ? "pay" : "accrue"));
        add(benefit, "point_type", point_type(pays).id);
        add_some_partners(benefit);
        return benefit;
    }

    TreeBenefit points_from_field() {
        TreeBenefit benefit = named("accrue_points_from_field");
        const TreePointType& type = point_type(false);
        add(benefit, "point_type", type.id);
        if (chance(50)) {
            add(benefit, "field", one_of<std::string>({"x", "y"}));
        } else {
            add(benefit, "points", Decimal::of(1 + up_to(1500), type.scale));
            add(benefit, "per_amount", money(one_of({30, 3000})));
        }
        return benefit;
    }

    const TreePointType& point_type(bool pays) {
        while (true) {
            const auto& type =
                tree_.point_types[static_cast<std::size_t>(up_to(static_cast<int>(tree_.point_types.size()) - 1))];
            if (!pays || type.kind == PointKind::standard) return type;
        }
    }

    TreeBenefit discount(Level level) {
        TreeBenefit benefit{"discount", Parameters("discount")};
        if (chance(55)) {
            add(benefit, "percent", percent());
        } else {
            add(benefit, "amount", money(1000));
        }
        if (level == Level::order && chance(50)) {
            const auto target = one_of<std::string>({"goods", "shipping", "order"});
            add(benefit, "target", target);
            if (target == "shipping") return benefit;
        }
        add_extent(benefit, level, benefit.parameters.has("amount"));
        add_items(benefit);
        return benefit;
    }

    TreeBenefit points(Level level) {
        const bool pays = chance(55);
        TreeBenefit benefit{pays ? "points_discount" : "accrue_points",
                            Parameters(pays ? "points_discount" : "accrue_points")};
        const TreePointType& type = point_type(pays);
        add(benefit, "point_type", type.id);
        const int form = up_to(pays && level == Level::product ? 2 : 1);
        if (form == 0) add(benefit, "percent", percent());
        if (form == 1) add(benefit, "points", Decimal::of(1 + up_to(1500), type.scale));
        if (form == 2) add(benefit, "amount", money(1000));
        if (pays && level == Level::product) add_items(benefit);
        if (pays || level == Level::order) add_extent(benefit, level, form > 0);
        if (!pays && chance(30)) add(benefit, "credit_on", std::string("delivered"));
        return benefit;
    }

    Order make_order() {
        Order order;
        const int lines = 1 + up_to(std::min(4, size_));
        for (int i = 0; i < lines; ++i) order.lines.push_back(line(i));
        repeat_first(order);
        std::vector<std::uint32_t> positions;
        for (int i = 0; i < lines; ++i) positions.push_back(static_cast<std::uint32_t>(i));
        std::shuffle(positions.begin(), positions.end(), random_);
        for (std::size_t i = 0; i < positions.size(); ++i) order.lines[i].position = positions[i];
        if (chance(50)) order.shipping = Money{up_to(1000)};
        order.buyer.kind = chance(75) ? BuyerKind::member : one_of({BuyerKind::anonymous, BuyerKind::guest});
        for (std::uint32_t type = 0; type < tree_.point_types.size(); ++type) {
            const bool usable = order.buyer.kind == BuyerKind::member && chance(90);
            const Points active{usable ? one_of({up_to(30), up_to(1000), up_to(5000)}) : 0};
            order.buyer.balances.push_back({active + Points{up_to(3) * 10}, active, usable});
            if (!chance(80) || tree_.point_types[type].kind == PointKind::qualification) continue;
            Redeem redeem{type, std::nullopt};
            if (chance(40)) redeem.amount = Points{up_to(3000)};
            order.redeem.push_back(redeem);
        }
        std::shuffle(order.redeem.begin(), order.redeem.end(), random_);
        return order;
    }

    // Some lines are of the first one's product, at its price.
    void repeat_first(Order& order) {
        const Line& first = order.lines.front();
        for (Line& line : order.lines) {
            if (&line == &first || !chance(15)) continue;
            line.product = first.product;
            line.price = first.price;
            line.base = times(line.price, line.quantity);
        }
    }

    Line line(int number) {
        Line line;
        line.id = std::string(1, static_cast<char>('a' + number));
        line.product = "P" + line.id;
        line.price =
            price(one_of({0, 1, 2, 3, 10, 99, 100, 100, 250, 999, 1000, up_to(50), up_to(5000), up_to(5000)}));
        line.quantity = Quantity{one_of({1, 1, 1, 2, 2, 3, 5}) * one_unit.units};
        if (chance(25))
            line.quantity = Quantity{one_of({500'000, 1'250'000, 333'000, 2'500'000, 1'000, 1, 1 + up_to(4'000'000)})};
        const std::int64_t one = one_unit.units * line.price.parts;
        line.base = Money{(2 * line.price.units * line.quantity.units + one) / (2 * one)};
        if (chance(20)) line.min_price = price(one_of({1, up_to(100), up_to(5000)}));
        for (std::uint32_t segment = 0; segment < tree_.segments.size(); ++segment) {
            if (chance(50)) line.segments.push_back(segment);
        }
        return line;
    }

    static constexpr std::int32_t today = 20'000;

    std::mt19937_64& random_;
    int size_;
    bool plain_ = false;  // only discounts on whole lines, for which the search has a way of its own
    Tree tree_;
    std::vector<int> depths_;
};

// --- Printed
// --------------------------------------------------------------------------------------------------------------

std::string money(Money amount, int scale) {
    std::string text;
    append_decimal(text, amount.units, scale);
    return text;
}

std::string to_string(const TreeBenefit& benefit, int currency_scale) {
    Parameters parameters = benefit.parameters;
    std::ostringstream out;
    out << benefit.benefit;
    if (parameters.has("percent")) {
        const Fraction percent = *parameters.percent("percent", 100'000);
        out << " percent=" << static_cast<std::int64_t>(percent.numerator) << "/"
            << static_cast<std::int64_t>(percent.denominator);
    }
    if (parameters.has("amount"))
        out << " amount=" << money({*parameters.amount("amount", currency_scale)}, currency_scale);
    if (parameters.has("points")) out << " points=" << money({*parameters.amount("points", 4)}, 4);
    if (parameters.has("max_items")) out << " max_items=" << *parameters.count("max_items");
    if (const auto segments = parameters.texts("segments")) {
        for (const auto& segment : *segments) out << " of " << segment;
    }
    if (parameters.has("max_times")) out << " max_times=" << *parameters.count("max_times");
    for (const char* name :
         {"pick", "share", "per", "max_items_per", "target", "point_type", "credit_on", "field", "mode", "direction"}) {
        if (parameters.has(name)) out << " " << name << "=" << *parameters.text(name);
    }
    for (const char* name : {"price", "step", "per_amount"}) {
        if (parameters.has(name))
            out << " " << name << "="
                << Decimal::of(*parameters.amount(name, max_price_scale), max_price_scale).to_string();
    }
    if (parameters.flag("marginal")) out << " marginal";
    if (parameters.has("by")) out << " by " << *parameters.text("by");
    for (const char* list : {"buy", "get"}) {
        for (auto& part : parameters.objects(list)) {
            out << " " << list << " " << *part.count("count");
            const auto segments = part.texts("segments");
            for (const auto& segment : segments.value_or(std::vector<std::string>{})) out << " " << segment;
        }
    }
    if (parameters.has("steps")) {
        for (auto& step : parameters.steps())
            out << " from " << step.from.to_string() << ": " << to_string({"", step.parameters}, currency_scale) << ";";
    }
    if (parameters.has("factor")) {
        const Fraction factor = *parameters.factor("factor");
        out << " factor=" << static_cast<std::int64_t>(factor.numerator) << "/"
            << static_cast<std::int64_t>(factor.denominator);
    }
    if (parameters.has("partners")) out << " of partner0";
    return out.str();
}

struct Printer {
    const Tree& tree;
    const oracle::Facts& facts;
    std::ostringstream out;

    void group(const TreeGroup& group, const std::string& indent) {
        static constexpr const char* names[] = {"consistent", "incompatibility", "summation", "max_benefit"};
        out << indent << "group " << group.id << " at " << group.position << ": "
            << names[static_cast<int>(group.arbitration)];
        if (group.best != Best::combination)
            out << (group.best == Best::single ? " best=single" : " best=single_by_line");
        const auto limit = [&](const char* name, const std::optional<Decimal>& value) {
            if (value) out << " " << name << "=" << value->to_string();
        };
        limit("max_discount_percent", group.max_discount_percent);
        limit("max_discount_amount", group.max_discount_amount);
        limit("min_product_price_percent", group.min_product_price_percent);
        limit("min_product_price_amount", group.min_product_price_amount);
        out << "\n";
        std::vector<std::tuple<std::int64_t, std::string, const TreeGroup*, const TreePromotion*>> children;
        for (const TreeGroup& child : tree.groups) {
            if (child.parent == group.id) children.emplace_back(child.position, child.id, &child, nullptr);
        }
        for (const TreePromotion& child : tree.promotions) {
            if (child.parent == group.id) children.emplace_back(child.position, child.id, nullptr, &child);
        }
        std::sort(children.begin(), children.end());
        for (const auto& [position, id, child_group, child_promotion] : children) {
            if (child_group) this->group(*child_group, indent + "  ");
            if (child_promotion) promotion(*child_promotion, indent + "  ");
        }
    }

    void restrictions(const TreePromotion& promotion) {
        static constexpr const char* audiences[] = {"members", "in segments", "outside segments", "tiers", "everyone",
                                                     "guests"};
        const auto list = [&](const char* name, const std::vector<std::string>& names) {
            for (const auto& one : names) out << (&one == &names.front() ? std::string(" ") + name + " " : ",") << one;
        };
        list(audiences[static_cast<int>(promotion.audience)],
             promotion.audience == Audience::tiers ? promotion.audience_tiers : promotion.audience_segments);
        if (promotion.audience == Audience::members) out << " members";
        if (promotion.audience == Audience::guests) out << " guests";
        list(promotion.order_mode == ConditionMode::in ? "orders in" : "orders outside", promotion.order_segments);
        minimum(promotion.minimum);
        if (promotion.starts_at) out << " from " << promotion.starts_at->to_string();
        if (promotion.ends_at) out << " to " << promotion.ends_at->to_string();
        if (promotion.schedule) {
            const Schedule& schedule = *promotion.schedule;
            out << " months " << schedule.months << " days " << schedule.days_of_month << " weekdays "
                << schedule.weekdays;
            if (schedule.from_us)
                out << " " << show_time_of_day(*schedule.from_us) << "-" << show_time_of_day(*schedule.to_us);
            if (schedule.every > 0)
                out << " every " << schedule.every << " "
                    << "dwm"[static_cast<int>(schedule.every_unit)];
        }
        if (!promotion.pool.empty()) out << " with a code of " << promotion.pool;
        list("channels", promotion.channels);
        list("contact points", promotion.contact_points);
        list("regions", promotion.regions);
    }

    void minimum(const Minimum& minimum) {
        if (minimum.items) out << " from " << minimum.items->to_string() << " items";
        if (minimum.total) out << " from " << minimum.total->to_string() << (minimum.current ? " now" : "");
    }

    std::string left_of(const TreePromotion& promotion) const {
        const auto found = facts.left.find(promotion.id);
        if (found == facts.left.end()) return "";
        std::string text = found->second.used_up ? " used up" : "";
        if (found->second.money) text += " money left " + found->second.money->to_string();
        if (found->second.points) text += " points left " + found->second.points->to_string();
        return text;
    }

    void promotion(const TreePromotion& promotion, const std::string& indent) {
        out << indent << "promotion " << promotion.id << " at " << promotion.position << ":"
            << (promotion.state == PromotionState::active ? "" : " inactive")
            << (promotion.benefit_rule == BenefitRule::parallel ? " parallel" : " sequential") << left_of(promotion);
        restrictions(promotion);
        out << "\n";
        for (const TreeCondition& condition : promotion.conditions) {
            out << indent << "  " << (condition.level == Level::product ? "products" : "order");
            if (condition.mode != ConditionMode::all) out << (condition.mode == ConditionMode::in ? " in" : " outside");
            for (const std::string& segment : condition.segments) out << " " << segment;
            minimum(condition.minimum);
            out << (condition.untouched ? " untouched\n" : "\n");
            for (const TreeBenefit& benefit : condition.benefits)
                out << indent << "    " << to_string(benefit, tree.currency_scale) << "\n";
        }
    }
};

}  // namespace

Case random_case(std::mt19937_64& random, int size) { return Maker(random, size).make(); }

Case random_search_case(std::mt19937_64& random) { return Maker(random, 1).make_search(); }

Order order_for(const Program& program, const Case& c) {
    Order order = c.order;
    for (std::size_t i = 0; i < order.lines.size(); ++i) {
        for (const auto& path : program.reads.product) {
            const auto& fields = c.facts.fields.at(i);
            const auto field = fields.find(path.back());
            order.lines[i].values.push_back(field == fields.end() ? Value{} : field->second);
        }
    }
    for (const auto& product : program.reads.gifts) {
        const auto price = c.facts.gift_prices.find(product);
        order.gifts.push_back({"", Money{price == c.facts.gift_prices.end() ? 0 : price->second}});
    }
    find_partner_products(order, program, c.facts.today);
    const auto places = [](const std::set<std::string>& names, const auto& list) {
        return places_of({names.begin(), names.end()}, list);
    };
    order.segments = places(c.facts.order_segments, program.order_segments);
    order.pools = places(c.facts.pools, program.pools);
    order.buyer.segments = places(c.facts.profile_segments, program.profile_segments);
    order.buyer.tiers = places(c.facts.tiers, program.tiers);
    for (const Index promotion : program.limited_promotions) {
        const oracle::Left& left = c.facts.left.at(program.promotions[promotion].id);
        Allowance allowance;
        allowance.promotion = promotion;
        if (left.used_up) allowance.uses = Allowance::Uses::used_up;
        if (left.money) allowance.money = Money{*left.money->units(program.currency_scale)};
        if (left.points) allowance.points = *left.points->units(usage_scale);
        order.allowances.push_back(allowance);
    }
    return order;
}

bool looks_at_positions(const Tree& tree) {
    for (const TreePromotion& promotion : tree.promotions) {
        for (const TreeCondition& condition : promotion.conditions) {
            for (const TreeBenefit& benefit : condition.benefits) {
                Parameters parameters = benefit.parameters;
                if (parameters.has("max_items") && parameters.text("pick").value_or("line_order") == "line_order")
                    return true;
            }
        }
    }
    return false;
}

std::string to_string(const Case& c) {
    Printer printer{c.tree, c.facts, {}};
    auto& out = printer.out;
    printer.group(c.tree.groups.front(), "");
    for (std::size_t i = 0; i < c.tree.point_types.size(); ++i) {
        const TreePointType& type = c.tree.point_types[i];
        const Balance& balance = c.order.buyer.balances[i];
        out << type.id << ": " << (type.kind == PointKind::standard ? "standard" : "qualification")
            << " scale=" << type.scale << " ratio=" << type.ratio.to_string()
            << " rounding=" << static_cast<int>(type.rounding)
            << " active=" << money({balance.active.units}, type.scale) << (balance.usable ? "" : " unusable");
        if (type.redeem_step) out << " step=" << type.redeem_step->to_string();
        if (type.redeem_min) out << " min=" << type.redeem_min->to_string();
        if (type.redeem_max_percent) out << " max=" << type.redeem_max_percent->to_string() << "%";
        out << "\n";
    }
    out << "buyer: " << (c.order.buyer.kind == BuyerKind::member ? "member" : "no member") << "\n";
    const auto list = [&](const char* what, const std::set<std::string>& names) {
        for (const auto& name : names) out << what << " " << name << "\n";
    };
    list("order segment", c.facts.order_segments);
    list("profile segment", c.facts.profile_segments);
    list("tier", c.facts.tiers);
    list("code of", c.facts.pools);
    out << "time " << c.order.time.to_string() << " channel " << c.order.channel << " contact point "
        << c.order.contact_point << " region " << c.order.region << "\n";
    for (const Redeem& redeem : c.order.redeem) {
        const TreePointType& type = c.tree.point_types[redeem.point_type];
        out << "redeem " << type.id << " " << (redeem.amount ? money({redeem.amount->units}, type.scale) : "max")
            << "\n";
    }
    const auto price = [&](const UnitPrice& price) {
        return money({price.units}, c.tree.price_scale.value_or(c.tree.currency_scale));
    };
    for (const Line& line : c.order.lines) {
        out << "line " << line.id << " (position " << line.position
            << "): price=" << price(line.price)
            << " quantity=" << money({line.quantity.units}, quantity_scale)
            << " base=" << money(line.base, c.tree.currency_scale);
        if (line.min_price) out << " min_price=" << price(*line.min_price);
        for (const auto segment : line.segments) out << " " << c.tree.segments[segment].id;
        const std::size_t number = static_cast<std::size_t>(&line - c.order.lines.data());
        if (number < c.facts.fields.size()) {
            for (const auto& [name, value] : c.facts.fields[number]) out << " " << name << "=" << value.text;
        }
        out << "\n";
    }
    for (const TreePartner& partner : c.tree.partners) {
        out << partner.id;
        if (partner.starts_on) out << " from day " << *partner.starts_on << " of " << c.facts.today;
        out << "\n";
    }
    for (const TreePartnerProduct& product : c.tree.partner_products) {
        out << "product " << product.sku << " of " << product.partner;
        const auto term = [&](const char* name, const std::optional<Decimal>& value) {
            if (value) out << " " << name << "=" << value->to_string();
        };
        term("discount_percent", product.discount_percent);
        term(product.points_unit == ValueUnit::points ? "points" : "points_percent", product.points_value);
        term("max_payable_points", product.max_payable_points);
        out << "\n";
    }
    out << "shipping " << money(c.order.shipping, c.tree.currency_scale) << "\n";
    return out.str();
}

}  // namespace loyalty

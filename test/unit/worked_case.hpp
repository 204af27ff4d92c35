// Orders worked out by hand: a shop in a few words, and the bill that it writes. Money and points in smallest units.
#pragma once

#include "unit/build.hpp"
#include "unit/random_case.hpp"

#include <initializer_list>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace loyalty::worked {

using build::OrderBuilder;
using Values = std::initializer_list<std::pair<std::string, std::string>>;

inline TreeBenefit percent(const std::string& value) { return build::benefit("discount", {{"percent", value}}); }
inline TreeBenefit amount(const std::string& value) { return build::benefit("discount", {{"amount", value}}); }
inline TreeBenefit discount(Values parameters) { return build::benefit("discount", parameters); }
inline TreeBenefit round_price(const std::string& mode) { return build::benefit("round_price", {{"mode", mode}}); }
inline TreeBenefit round_order(const std::string& mode) {
    return build::benefit("round_order_price", {{"mode", mode}});
}
inline TreeBenefit field_price(const std::string& field, const std::string& factor = "1") {
    return build::benefit("price_from_field", {{"field", field}, {"factor", factor}});
}
// A benefit about points of the type "bonus".
inline TreeBenefit points(const std::string& name, Values parameters) {
    TreeBenefit result = build::benefit(name, parameters);
    result.parameters.add("point_type", Parameters::Type::text, "bonus");
    return result;
}
inline TreeBenefit pay(const std::string& percent) { return points("points_discount", {{"percent", percent}}); }
inline TreeBenefit earn(const std::string& percent) { return points("accrue_points", {{"percent", percent}}); }
inline TreeBenefit of_partners(TreeBenefit benefit, std::vector<std::string> partners) {
    benefit.parameters.add("partners", Parameters::Type::texts, "[...]", std::move(partners));
    return benefit;
}

// Lines are called a, b, c …; their products Pa, Pb, Pc.
class Shop : public build::TreeBuilder {
public:
    explicit Shop(Arbitration main = Arbitration::consistent, const std::string& ratio = "1", int points_scale = 2)
        : TreeBuilder(main) {
        point_type("bonus", ratio, points_scale);
    }

    TreePromotion& on_products(const std::string& id, std::vector<TreeBenefit> benefits,
                               const std::string& parent = "main") {
        return add(id, build::on_products(std::move(benefits)), parent);
    }
    TreePromotion& on_order(const std::string& id, std::vector<TreeBenefit> benefits,
                            const std::string& parent = "main") {
        return add(id, build::on_order(std::move(benefits)), parent);
    }

    void partner(const std::string& id, std::optional<std::int32_t> starts_on = std::nullopt) {
        tree.partners.push_back({id, starts_on});
    }
    TreePartnerProduct& partner_product(const std::string& sku, const std::string& partner) {
        TreePartnerProduct product;
        product.sku = sku;
        product.partner = partner;
        tree.partner_products.push_back(product);
        return tree.partner_products.back();
    }

private:
    // In a points promotion if the first benefit is one for these.
    TreePromotion& add(const std::string& id, TreeCondition condition, const std::string& parent) {
        const bool about_points = condition.benefits.front().benefit.find("points") != std::string::npos;
        TreePromotion& added = promotion(id, {std::move(condition)}, parent);
        if (about_points) added.kind = PromotionKind::points;
        return added;
    }
};

constexpr std::int32_t today = 20'000;

struct Bill {
    std::vector<std::int64_t> lines;  // totals
    std::int64_t shipping = 0;
    std::int64_t spent = 0;   // points
    std::int64_t earned = 0;  // points

    friend bool operator==(const Bill&, const Bill&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Bill& bill) {
        out << "lines";
        for (const auto total : bill.lines) out << " " << total;
        return out << ", shipping " << bill.shipping << ", spent " << bill.spent << ", earned " << bill.earned;
    }
};

using Fields = std::vector<std::map<std::string, std::string>>;  // per line

inline Calculation calculate(const Shop& shop, const OrderBuilder& order, const Fields& fields = {}) {
    Case c{shop.tree, order.get(), {}};
    c.facts.today = today;
    c.facts.fields.resize(c.order.lines.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
        for (const auto& [name, text] : fields[i]) c.facts.fields[i][name] = {Decimal::parse(text), text};
    }
    CalculationOptions options;
    options.is_credited = [](std::string_view credit_on) { return credit_on == "new"; };
    const Program program = compile(c.tree, 1);
    return loyalty::calculate(program, order_for(program, c), options);
}

inline Bill bill(const Shop& shop, const OrderBuilder& order, const Fields& fields = {}) {
    const Calculation result = calculate(shop, order, fields);
    Bill bill;
    for (const auto& line : result.lines) bill.lines.push_back(line.total.units);
    bill.shipping = result.shipping.total.units;
    bill.spent = result.points[0].spent.units;
    bill.earned = (result.points[0].accrued + result.points[0].pending).units;
    return bill;
}

}  // namespace loyalty::worked

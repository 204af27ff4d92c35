#include "core/compile/partners.hpp"

#include "core/compile/tree_error.hpp"

#include <map>

namespace loyalty {

namespace {

PartnerProduct terms(const TreePartnerProduct& from, Index partner) {
    const auto share = [&](const Decimal& percent) {
        if (percent.is_negative() || percent > Decimal(100) || percent.scale() > 18)
            refuse_tree("a percentage of product \"" + from.sku + "\" is out of range",
                        "Percentages are 0 to 100, with at most 18 decimals.");
        return Fraction::percent(percent);
    };
    const auto points = [&](const Decimal& number) {
        if (number.is_negative() || number.scale() > 4 || !number.units(4))
            refuse_tree("a number of points of product \"" + from.sku + "\" is out of range",
                        "Give 0 or more, with at most 14 digits before and 4 after the point.");
        return Fraction::of(number);
    };
    PartnerProduct product;
    product.partner = partner;
    product.points_unit = from.points_unit;
    if (from.discount_percent) product.discount = share(*from.discount_percent);
    if (from.points_value)
        product.points_value =
            from.points_unit == ValueUnit::percent ? share(*from.points_value) : points(*from.points_value);
    if (from.max_payable_points) product.max_payable_points = points(*from.max_payable_points);
    return product;
}

}  // namespace

void compile_partners(const Tree& tree, Program& program) {
    std::map<std::string, Index> indexes;
    for (const auto& from : tree.partners) {
        indexes[from.id] = static_cast<Index>(program.partners.size());
        program.partners.push_back({from.id, from.starts_on});
    }
    for (const auto& from : tree.partner_products) {
        const auto partner = indexes.find(from.partner);
        if (partner == indexes.end()) {
            refuse_tree("product \"" + from.sku + "\" is one of the unknown partner \"" + from.partner + "\"",
                        "Make the partner first.");
        }
        const auto index = static_cast<Index>(program.partner_products.size());
        program.partner_products.push_back(terms(from, partner->second));
        if (!program.partner_product_of.emplace(from.sku, index).second)
            refuse_tree("product \"" + from.sku + "\" has two partners", "A product has at most one.");
    }
}

}  // namespace loyalty

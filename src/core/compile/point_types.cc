#include "core/compile/point_types.hpp"

#include "core/compile/tree_error.hpp"

namespace loyalty {

namespace {

int128 common_multiple(int128 a, int128 b) { return checked_product(Fraction{a, b}.reduced().numerator, b); }

void check_scale(int scale, const std::string& what) {
    if (scale < 0 || scale > 4)
        refuse_tree("the scale of " + what + " is " + std::to_string(scale), "Scales are 0 to 4 decimals.");
}

Points redeemed(const TreePointType& type, const Decimal& number) {
    const auto units = number.units(type.scale);
    if (!units || *units <= 0)
        refuse_tree("points of type \"" + type.id + "\" are redeemed by " + number.to_string(),
                    "Give a number above 0 with the decimals of the type.");
    return {*units};
}

Fraction share_of_goods(const TreePointType& type, const Decimal& percent) {
    if (percent.is_negative() || percent.is_zero() || percent > Decimal(100) || percent.scale() > 6)
        refuse_tree("the most that points of type \"" + type.id + "\" may pay is " + percent.to_string() + " %",
                    "Give a percentage above 0 and at most 100, with at most 6 decimals.");
    return Fraction::percent(percent);
}

PointType point_type(const TreePointType& from, int currency_scale) {
    check_scale(from.scale, "point type \"" + from.id + "\"");
    if (from.ratio.is_negative() || from.ratio.is_zero())
        refuse_tree("point type \"" + from.id + "\" has no ratio", "Set a ratio above 0.");
    PointType type;
    type.id = from.id;
    type.kind = from.kind;
    type.scale = from.scale;
    type.ratio = from.ratio;
    type.points_per_money =
        Fraction::of(from.ratio) * Fraction{power_of_ten(from.scale), power_of_ten(currency_scale)}.reduced();
    type.rounding = from.rounding;
    if (from.redeem_min) type.redeem_min = redeemed(from, *from.redeem_min);
    if (from.redeem_step) type.redeem_step = redeemed(from, *from.redeem_step);
    if (from.redeem_max_percent) type.redeem_max = share_of_goods(from, *from.redeem_max_percent);
    return type;
}

// Points of different types are compared with money in whole numbers of a common denominator.
void value_points(Program& program) {
    constexpr int128 most = 1'000'000'000'000'000'000;
    int128 denominator = 1;
    const auto counts = [](const PointType& type) { return type.kind == PointKind::standard; };
    for (const auto& type : program.point_types) {
        if (!counts(type)) continue;
        denominator = common_multiple(denominator, type.points_per_money.numerator);
        if (denominator > most) {
            refuse_tree("the ratios of the point types have no common denominator below 10^18",
                        "Use ratios with fewer digits.");
        }
    }
    program.value_denominator = denominator;
    for (auto& type : program.point_types) {
        if (!counts(type)) continue;
        type.value = checked_product(denominator / type.points_per_money.numerator, type.points_per_money.denominator);
    }
}

}  // namespace

void check_scales(const Tree& tree) {
    check_scale(tree.currency_scale, "currency");
    const int prices = tree.price_scale.value_or(tree.currency_scale);
    if (prices < tree.currency_scale || prices > max_price_scale)
        refuse_tree("the scale of prices is " + std::to_string(prices),
                    "It is the currency's to " + std::to_string(max_price_scale) + " decimals.");
}

void compile_point_types(const Tree& tree, Program& program) {
    for (const auto& from : tree.point_types) program.point_types.push_back(point_type(from, tree.currency_scale));
    value_points(program);
}

}  // namespace loyalty

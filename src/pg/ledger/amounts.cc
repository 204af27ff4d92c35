#include "pg/ledger/amounts.hpp"

#include "core/money/decimal.hpp"

#include "pg/server/doors.hpp"

namespace loyalty::pg {

namespace {

// A finite number, not zero, of the right sign.
Decimal read_signed(Datum datum, int sign, const std::string& noun) {
    const bool is_finite = postgres([=] {
        const Numeric numeric = DatumGetNumeric(datum);
        return !numeric_is_nan(numeric) && !numeric_is_inf(numeric);
    });
    if (!is_finite) throw Error(sqlstate::value_not_finite, "the " + noun + " is not a finite number");
    const std::string text = postgres([=] { return DatumGetCString(DirectFunctionCall1(numeric_out, datum)); });
    const auto value = Decimal::parse(text);
    if (!value)
        throw Error(sqlstate::points_overflow, "the " + noun + " is too large", {},
                    "A number of points has at most 18 digits.");
    if (value->is_zero())
        throw Error(sqlstate::value_zero, "the " + noun + " is zero", {}, "A booking changes the balance.");
    if (value->is_negative() != (sign < 0)) {
        throw Error(sqlstate::value_sign, "the " + noun + " is " + (sign < 0 ? "positive" : "negative"),
                    "It is " + text + ".",
                    sign < 0 ? "Redemptions and reversals have a value below zero."
                             : "Accruals, initial balances, refunds and amounts are above zero.");
    }
    return *value;
}

}  // namespace

void check_amount(const std::optional<Datum>& amount) {
    if (!amount) throw Error(sqlstate::missing_field, "an amount is missing");
    read_signed(*amount, +1, "amount");
}

std::int64_t read_value(Datum datum, int sign, int scale, std::string_view noun) {
    const Decimal value = read_signed(datum, sign, std::string(noun));
    if (value.scale() > scale) {
        throw Error(sqlstate::value_scale, "the " + std::string(noun) + " has too many decimals",
                    "It is " + value.to_string() + ", the point type has a scale of " + std::to_string(scale) + ".",
                    "Round it first.");
    }
    const auto units = value.units(scale);
    if (!units) {
        throw Error(sqlstate::points_overflow, "the " + std::string(noun) + " is too large",
                    "It is " + value.to_string() + ".", "A number of points has at most 18 digits.");
    }
    return *units;
}

std::string show_points(std::int64_t units, int scale) {
    std::string text;
    append_decimal(text, units, scale);
    return text;
}

}  // namespace loyalty::pg

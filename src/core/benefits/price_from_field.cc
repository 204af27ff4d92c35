// price_from_field: the product costs what one of its custom fields says, where that is less.
//
//     {"field": "vip_price"}
//     {"field": "list_price", "factor": 0.75}    25 % less than the field says
//
// The price of a unit is rounded once: round(field × factor).
#include "core/benefits/benefits.hpp"

namespace loyalty {

namespace {

class PriceFromField final : public Benefit {
public:
    PriceFromField(Parameters& parameters, const BenefitSetting& setting)
        : factor_(parameters.factor("factor").value_or(Fraction{1, 1}) *
                  Fraction{power_of_ten(setting.price_scale), 1}),
          parts_(setting.price_parts()) {
        parameters.require("field");
        field_.emplace(parameters, "field", setting);
        parameters.finish();
    }

    std::optional<Reach> reach() const override { return Reach{}; }
    std::optional<Money> cut(const Program&, const Line& line, Money total, Quantity quantity) const override {
        const auto amount = field_->amount(line);
        return amount ? total - std::min(total, price(*amount, total, quantity)) : Money{};
    }

    Proposal propose(View view) const override {
        Proposal proposal;
        for (const auto& part : view.parts) {
            const std::uint32_t line = view.state.groups[part.group].line;
            if (!field_->amount(view.order.lines[line])) {
                skip(proposal, line);
                continue;
            }
            proposal.parts.push_back(part);
            proposal.parts.back().asked = *cut(view.program, view.order.lines[line], part.total, part.quantity);
        }
        if (proposal.parts.empty()) proposal.reason = Reason::field_missing;
        return proposal;
    }

private:
    static void skip(Proposal& proposal, std::uint32_t line) {
        if (proposal.skips.empty() || proposal.skips.back().line != line)
            proposal.skips.push_back({line, Reason::field_missing});
    }

    // What `quantity` units cost by a field; `total` if that is more than they cost now, however much more.
    Money price(const Fraction& field, Money total, Quantity quantity) const {
        const Fraction exact = field * factor_;
        const int128 whole = exact.numerator / exact.denominator;
        if (whole >= power_of_ten(18)) return total;
        const UnitPrice unit_price{scaled(1, exact), parts_};
        const int128 one = checked_product(one_unit.units, parts_);
        if (checked_product(unit_price.units, quantity.units) >= checked_product(total.units, one)) return total;
        return times(unit_price, quantity);
    }

    Fraction factor_;     // smallest units of a price for 1 in the field
    std::int64_t parts_;  // of them for one of money
    std::optional<FieldParameter> field_;
};

}  // namespace

std::unique_ptr<const Benefit> read_price_from_field(Parameters& parameters, const BenefitSetting& setting) {
    return std::make_unique<PriceFromField>(parameters, setting);
}

}  // namespace loyalty

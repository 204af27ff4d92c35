#include "core/benefits/benefits.hpp"

#include "core/calculate/redeem.hpp"
#include "core/error.hpp"
#include "core/money/allot.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace loyalty {

namespace {

// Whether `text` is a whole number and a unit of time: "14 days".
bool is_delay(std::string_view text) {
    int count = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || count <= 0 || count > 10'000) return false;
    std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
    if (unit.ends_with('s')) unit.remove_suffix(1);
    constexpr std::string_view units[] = {" hour", " day", " week", " month", " year"};
    return std::find(std::begin(units), std::end(units), unit) != std::end(units);
}

}  // namespace

void allot_over(std::vector<Part>& parts, Money shipping, Money reduction, Money& shipping_asked) {
    std::vector<std::int64_t> weights;
    weights.reserve(parts.size() + 1);
    int128 sum = shipping.units;
    for (const auto& part : parts) {
        weights.push_back(part.total.units);
        sum += part.total.units;
    }
    weights.push_back(shipping.units);
    if (sum == 0) return;
    const bool raise = reduction < Money{};
    auto shares = allot(raise ? (Money{} - reduction).units : reduction.units, weights);
    if (raise) {
        for (auto& share : shares) share = -share;
    }
    for (std::size_t i = 0; i < parts.size(); i++) parts[i].asked = Money{shares[i]};
    shipping_asked = Money{shares.back()};
}

Per read_per(Parameters& parameters, Level level, bool is_amount) {
    if (level == Level::order) parameters.refuse("per", "What an order gets off is for the order as a whole.");
    if (!is_amount) parameters.refuse("per", "It says what an amount is for.");
    return static_cast<Per>(parameters.choice("per", {"unit", "line", "order"}));
}

void number_lines(const View& view, std::vector<Part>& parts) {
    std::map<std::pair<std::string_view, UnitPrice>, std::uint32_t> numbers;
    for (auto& part : parts) {
        const auto number = view.state.groups[part.group].line;
        const Line& line = view.order.lines[number];
        part.sum = numbers.try_emplace({line.product, line.price}, number).first->second;
    }
}

void ask_once(std::vector<Part>& parts, Money amount) {
    std::map<std::uint32_t, std::vector<Part*>> sums;
    for (auto& part : parts) sums[part.sum].push_back(&part);
    for (const auto& [number, sharing] : sums) {
        Money total;
        std::vector<std::int64_t> weights;
        for (const Part* part : sharing) {
            total += part->total;
            weights.push_back(part->total.units);
        }
        const auto shares = allot(std::min(total, amount).units, weights);
        for (std::size_t i = 0; i < sharing.size(); i++) sharing[i]->asked = Money{shares[i]};
    }
}

SegmentsParameter::SegmentsParameter(Parameters& parameters, const BenefitSetting& setting) {
    if (setting.level != Level::order) parameters.refuse("segments", "The condition says which products it is for.");
    const auto ids = parameters.texts("segments");
    if (!ids || !setting.segments) return;
    for (const auto& id : *ids) {
        const auto found = std::find_if(setting.segments->begin(), setting.segments->end(),
                                        [&](const Segment& segment) { return segment.id == id; });
        if (found == setting.segments->end()) parameters.fail("segments", id, "product segments of the program");
        indexes_.push_back(static_cast<Index>(found - setting.segments->begin()));
    }
}

std::vector<LineSum> sums_by_line(const View& view) {
    std::vector<LineSum> sums;
    for (const auto& part : view.parts) {
        const auto line = view.state.groups[part.group].line;
        if (sums.empty() || sums.back().line != line) sums.push_back({line, Money{}, Quantity{}});
        sums.back().total += part.total;
        sums.back().quantity += part.quantity;
    }
    return sums;
}

PointTypeParameter::PointTypeParameter(Parameters& parameters, const BenefitSetting& setting) {
    parameters.require("point_type");
    const std::string id = *parameters.text("point_type");
    if (!setting.point_types) return;
    const auto& types = *setting.point_types;
    for (std::uint32_t i = 0; i < types.size(); i++) {
        if (types[i].id != id) continue;
        index_ = i;
        type_ = &types[i];
        return;
    }
    parameters.fail("point_type", id, "a point type of the program");
}

void PointTypeParameter::require_standard(const Parameters& parameters) const {
    if (type_ && type_->kind == PointKind::qualification)
        parameters.fail("point_type", type_->id, "a standard point type: qualification points cannot pay");
}

Earning::Earning(Parameters& parameters, const BenefitSetting& setting)
    : type_(parameters, setting),
      segments_(parameters, setting),
      credit_on_(parameters.text("credit_on").value_or("new")),
      delay_(parameters.text("delay").value_or("")) {
    if (!delay_.empty() && !is_delay(delay_)) {
        parameters.fail("delay", delay_,
                        "a whole number from 1 to 10000 of hours, days, weeks, months or years, such as \"14 days\"");
    }
}

Proposal Earning::propose(View view) const {
    Proposal proposal;
    proposal.level = view.level;
    proposal.point_type = type_.index();
    if (view.order.buyer.kind != BuyerKind::member) {
        proposal.reason = Reason::not_a_member;
    } else if (!view.order.buyer.balances[type_.index()].usable) {
        proposal.reason = Reason::point_type_inactive;
    } else {
        earn(view, proposal);
    }
    return proposal;
}

void attribute(Points earned, const std::vector<LineSum>& lines, Proposal& proposal) {
    if (lines.empty() || earned.is_zero()) return;
    std::vector<std::int64_t> weights;
    bool all_free = true;
    for (const auto& line : lines) {
        weights.push_back(line.total.units);
        all_free = all_free && line.total.is_zero();
    }
    if (all_free) {
        proposal.accruals.push_back({no_line, earned});
        return;
    }
    const auto shares = allot(earned.units, weights);
    for (std::size_t i = 0; i < lines.size(); i++) {
        if (shares[i] != 0) proposal.accruals.push_back({lines[i].line, Points{shares[i]}});
    }
}

Payment::Payment(Parameters& parameters, const BenefitSetting& setting)
    : type_(parameters, setting), segments_(parameters, setting) {
    type_.require_standard(parameters);
}

Proposal Payment::propose(View view) const {
    Proposal proposal;
    proposal.level = view.level;
    proposal.point_type = type_.index();
    proposal.reason = refusal(view);
    if (proposal.reason == Reason::none) pay(view, proposal);
    return proposal;
}

Reason Payment::refusal(const View& view) const {
    if (view.order.buyer.kind != BuyerKind::member) return Reason::not_a_member;
    if (!view.order.buyer.balances[type_.index()].usable) return Reason::point_type_inactive;
    const auto asks = [this](const Redeem& redeem) { return redeem.point_type == type_.index(); };
    if (std::none_of(view.order.redeem.begin(), view.order.redeem.end(), asks)) return Reason::points_not_requested;
    const bool has_least = !type()->redeem_min.is_zero() || !type()->redeem_step.is_zero();
    if (has_least && view.budgets[type_.index()].is_zero() && *points_offered(view.order, type_.index()) > Points{})
        return Reason::below_redeem_min;
    if (view.budgets[type_.index()] == view.state.paid[type_.index()]) return Reason::no_points_left;
    return Reason::none;
}

FieldParameter::FieldParameter(Parameters& parameters, std::string_view name, const BenefitSetting& setting) {
    const std::string field = *parameters.text(name);
    if (setting.reads) number_ = read_path(setting.reads->product, {"fields", field});
}

std::optional<Fraction> FieldParameter::amount(const Line& line) const {
    constexpr int most_digits = 18;
    if (number_ >= line.values.size()) return std::nullopt;
    const auto& number = line.values[number_].number;
    if (!number || number->is_negative() || number->scale() > most_digits ||
        number->coefficient() / power_of_ten(number->scale()) >= power_of_ten(most_digits))
        return std::nullopt;
    return Fraction::of(*number);
}

PartnersParameter::PartnersParameter(Parameters& parameters, const BenefitSetting& setting) {
    const auto ids = parameters.texts("partners");
    if (!ids || !setting.partners) return;
    partners_.emplace();
    for (const auto& id : *ids) {
        const auto found = std::find_if(setting.partners->begin(), setting.partners->end(),
                                        [&](const Partner& partner) { return partner.id == id; });
        if (found == setting.partners->end()) parameters.fail("partners", id, "external ids of the program's partners");
        partners_->push_back(static_cast<Index>(found - setting.partners->begin()));
    }
}

const PartnerProduct* PartnersParameter::terms(const Program& program, const Line& line) const {
    if (line.partner_product == none) return nullptr;
    const PartnerProduct& product = program.partner_products[line.partner_product];
    return include(product.partner) ? &product : nullptr;
}

bool PartnersParameter::include(Index partner) const {
    return !partners_ || std::find(partners_->begin(), partners_->end(), partner) != partners_->end();
}

}  // namespace loyalty

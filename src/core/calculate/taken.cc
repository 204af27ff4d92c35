#include "core/calculate/taken.hpp"

#include "core/calculate/benefit.hpp"

#include <algorithm>

namespace loyalty {

namespace {

Index promotion_of(const Program& program, const Entry& entry) {
    return program.conditions[program.benefits[entry.benefit].condition].promotion;
}

bool works(const Entries& entries, std::uint32_t benefit) {
    return std::any_of(entries.begin(), entries.end(),
                       [&](const Entry& entry) { return entry.benefit == benefit && entry.has_effect(); });
}

// What goes along with the other effects of its promotion.
bool goes_along(const Entry& entry) { return entry.kind == Entry::Kind::text || entry.kind == Entry::Kind::gift; }

// The promotions that did more than to give a text or a product.
std::vector<Index> with_more(const Program& program, const Entries& entries) {
    std::vector<Index> promotions;
    for (const auto& entry : entries) {
        if (entry.has_effect() && !goes_along(entry)) promotions.push_back(promotion_of(program, entry));
    }
    std::sort(promotions.begin(), promotions.end());
    return promotions;
}

}  // namespace

std::vector<Taken::Units>::const_iterator Taken::first_of(std::uint32_t line) const {
    return std::lower_bound(parts_.begin(), parts_.end(), line,
                            [](const Units& units, std::uint32_t wanted) { return units.line < wanted; });
}

Index Taken::units(const UnitGroup& group) const {
    if (whole_[group.line] != none || parts_.empty()) return whole_[group.line];
    for (auto part = first_of(group.line); part != parts_.end() && part->line == group.line; ++part) {
        if (part->from < group.to && group.from < part->to) return part->promotion;
    }
    return none;
}

Index Taken::any_of(std::uint32_t line) const {
    if (whole_[line] != none || parts_.empty()) return whole_[line];
    const auto part = first_of(line);
    return part != parts_.end() && part->line == line ? part->promotion : none;
}

bool Taken::all_of(std::uint32_t line) const {
    if (whole_[line] != none) return true;
    if (parts_.empty()) return false;
    Quantity taken;
    for (auto part = first_of(line); part != parts_.end() && part->line == line; ++part) taken += part->to - part->from;
    return taken == order_->lines[line].quantity;
}

void Taken::add(const Program& program, const Entries& entries) {
    const bool any = std::any_of(entries.begin(), entries.end(), goes_along);
    const std::vector<Index> more = any ? with_more(program, entries) : std::vector<Index>{};
    for (const auto& entry : entries) {
        const bool alone = !std::binary_search(more.begin(), more.end(), promotion_of(program, entry));
        if (entry.has_effect() || entry.is_of_gift() || (entry.bought && works(entries, entry.benefit)))
            add(program, entry, alone);
    }
}

// A text or a gift goes along with what else its promotion does. Effects that are no prices lie on all units of a line
// that are free.
void Taken::add(const Program& program, const Entry& entry, bool is_alone) {
    if (goes_along(entry) && !is_alone) return;
    const BenefitEntry& benefit = program.benefits[entry.benefit];
    const Condition& condition = program.conditions[benefit.condition];
    const bool on_order = condition.level == Level::order;
    const Needs needs = benefit.rule->needs();
    const auto claim = [&](Index& owner) {
        if (owner == none) owner = condition.promotion;
    };
    if (entry.target == Entry::Target::shipping) claim(of_shipping_);
    if (on_order && needs != Needs::shipping) claim(of_order_);
    if (entry.target != Entry::Target::line || (on_order && needs == Needs::order)) return;
    const bool is_price = entry.kind == Entry::Kind::money || entry.kind == Entry::Kind::paid_by_points;
    take(entry.line, is_price ? entry.from : Quantity{}, is_price ? entry.to : order_->lines[entry.line].quantity,
         condition.promotion);
}

// Those of the units that are free.
void Taken::take(std::uint32_t line, Quantity from, Quantity to, Index promotion) {
    if (whole_[line] != none) return;
    auto next = parts_.begin() + (first_of(line) - parts_.cbegin());
    if (from.is_zero() && to == order_->lines[line].quantity && (next == parts_.end() || next->line != line)) {
        whole_[line] = promotion;
        return;
    }
    for (; from < to; ++next) {
        const bool is_last = next == parts_.end() || next->line != line || next->from >= to;
        const Quantity end = is_last ? to : next->from;
        const Quantity after = is_last ? to : next->to;
        if (from < end) next = parts_.insert(next, {line, from, end, promotion}) + (is_last ? 0 : 1);
        from = std::max(from, after);
        if (is_last) return;
    }
}

}  // namespace loyalty

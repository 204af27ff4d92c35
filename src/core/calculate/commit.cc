#include "core/calculate/commit.hpp"

#include "core/calculate/redeem.hpp"
#include "core/money/allot.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace loyalty {

namespace {

Money base_goods(const Order& order) {
    Money sum;
    for (const auto& line : order.lines) sum += line.base;
    return sum;
}

Entry entry_for(std::uint32_t benefit, const Proposal& proposal) {
    Entry entry;
    entry.benefit = benefit;
    entry.point_type = proposal.point_type;
    entry.kind = proposal.point_type == no_point_type ? Entry::Kind::money : Entry::Kind::paid_by_points;
    entry.sets = proposal.sets;
    return entry;
}

Entry part_entry(const State& state, const Entry& pattern, const Part& part) {
    const UnitGroup& group = state.groups[part.group];
    Entry entry = pattern;
    entry.line = group.line;
    entry.from = group.from;
    entry.to = group.from + part.quantity;
    entry.asked = part.asked;
    entry.found = part.total;
    return entry;
}

// What sets ask for and leave at its price belongs to them all the same.
Entries bought_entries(const State& state, const Entry& pattern, const Proposal& proposal) {
    Entries entries;
    for (const auto& part : proposal.bought) {
        const UnitGroup& group = state.groups[part.group];
        Entry entry = pattern;
        entry.line = group.line;
        entry.from = group.from + part.from;
        entry.to = group.from + part.to;
        entry.bought = true;
        entry.found = Money{scaled(group.total.units, {(part.to - part.from).units, group.quantity().units})};
        entries.push_back(entry);
    }
    return entries;
}

// What changes no price, and so no limit cuts: accruals, deductions, texts, a promo code.
void add_gifts(Entries& entries, std::uint32_t benefit, const Proposal& proposal) {
    const auto add = [&](Entry::Kind kind, std::uint32_t line) -> Entry& {
        Entry& entry = entries.emplace_back();
        entry.benefit = benefit;
        entry.kind = kind;
        entry.target = line == no_line ? Entry::Target::order : Entry::Target::line;
        entry.line = line;
        return entry;
    };
    for (const auto& accrual : proposal.accruals) {
        Entry& entry = add(Entry::Kind::accrual, accrual.line);
        entry.point_type = proposal.point_type;
        entry.points = accrual.points;
        entry.like = accrual.like.value_or(benefit);
    }
    for (const auto& deduction : proposal.deductions) {
        Entry& entry = add(Entry::Kind::deduction, deduction.line);
        entry.point_type = proposal.point_type;
        entry.points = deduction.points;
    }
    for (const auto line : proposal.texts) add(Entry::Kind::text, line);
    if (proposal.issues_code) add(Entry::Kind::promo_code, no_line);
    if (!proposal.gift) return;
    Entry& gift = add(Entry::Kind::gift, no_line);
    gift.given = proposal.gift->quantity;
    gift.worth = proposal.gift->worth;
    gift.sets = proposal.given_for.times;
    for (const auto& units : proposal.given_for.units) add(Entry::Kind::gift, units.line).given = units.quantity;
}

// Lowers the price of a part and, if it is only some units of its group, splits the group. Returns how many groups were
// added (0 or 1).
std::size_t reduce_part(State& state, std::size_t index, const Part& part, Money reduction, Entry::Kind kind) {
    UnitGroup& group = state.groups[index];
    const bool lowers = kind == Entry::Kind::money && reduction > Money{};
    if (part.quantity >= group.quantity()) {
        group.total -= reduction;
        group.lowered = group.lowered || lowers;
        return 0;
    }
    const UnitGroup rest{group.line, group.from + part.quantity, group.to, group.total - part.total, group.lowered};
    group.to = rest.from;
    group.total = part.total - reduction;
    group.lowered = group.lowered || lowers;
    state.groups.insert(state.groups.begin() + static_cast<std::ptrdiff_t>(index) + 1, rest);
    return 1;
}

// Splits the unit groups of a line where an effect begins or ends, so that what is taken is never a part of a group.
void split_at(State& state, const Entry& entry) {
    for (const Quantity border : {entry.from, entry.to}) {
        for (auto i = state.first_group(entry.line); i < state.groups.size() && state.groups[i].line == entry.line;
             i++) {
            UnitGroup& group = state.groups[i];
            if (border <= group.from || group.to <= border) continue;
            const std::array weights{(border - group.from).units, (group.to - border).units};
            const auto totals = allot(group.total.units, weights);
            const UnitGroup rest{group.line, border, group.to, Money{totals[1]}, group.lowered};
            group.to = border;
            group.total = Money{totals[0]};
            state.groups.insert(state.groups.begin() + static_cast<std::ptrdiff_t>(i) + 1, rest);
            break;
        }
    }
}

// Books a sum of reductions of goods against the limits and, when paid with points, against their budget. A raise gives
// no room back.
void account(State& state, const Enclosing& enclosing, std::uint32_t point_type, Money reduction) {
    for (int depth = 0; depth <= enclosing.depth(); depth++)
        state.reduced[static_cast<std::size_t>(depth)] += reduction;
    if (point_type != no_point_type) state.paid[point_type] += reduction;
}

Money allowed_sum(const Bounds& bounds, const Enclosing& enclosing, const State& state, std::uint32_t point_type) {
    const Money by_limits = bounds.reduction_left(state, enclosing);
    return point_type == no_point_type ? by_limits : std::min(by_limits, bounds.budget_left(state, point_type));
}

// Reductions among `amounts` brought down to a sum of `most` by allotment, if it is more. A raise gives no room back.
void cut_to(std::vector<std::int64_t>& amounts, Money most) {
    Money sum;
    std::vector<std::int64_t> reductions;
    for (const auto amount : amounts) {
        reductions.push_back(std::max<std::int64_t>(0, amount));
        sum += Money{reductions.back()};
    }
    if (sum <= most) return;
    const auto shares = allot(most.units, reductions);
    for (std::size_t i = 0; i < amounts.size(); i++) {
        if (amounts[i] > 0) amounts[i] = shares[i];
    }
}

// Takes something off the shipping price, which only the budget of a promotion counts. A raise gives no room back.
void reduce_shipping(State& state, const Enclosing& enclosing, Money reduction) {
    state.shipping -= reduction;
    if (!enclosing.group) state.reduced[static_cast<std::size_t>(enclosing.depth())] += std::max(Money{}, reduction);
}

// Why no more is taken off the shipping than is, which `asked` and the price would allow.
CutBy cut_by_shipping(const Entry& entry, Money allowed_by_price) {
    CutBy cuts;
    cuts.price = allowed_by_price < entry.asked;
    cuts.budget = entry.applied < allowed_by_price;
    return cuts;
}

Entries commit_shipping(const Bounds& bounds, const Enclosing& enclosing, State& state, const Entry& pattern,
                        Money asked) {
    if (asked.is_zero()) return {};
    Entry entry = pattern;
    entry.target = Entry::Target::shipping;
    entry.asked = asked;
    entry.applied = std::min({asked, state.shipping, bounds.shipping_left(state, enclosing)});
    entry.cut_by = cut_by_shipping(entry, std::min(asked, state.shipping));
    reduce_shipping(state, enclosing, entry.applied);
    return {entry};
}

}  // namespace

Bounds::Bounds(const Program& program, const Order& order)
    : program(program), order(order), base_goods_(base_goods(order)) {
    for (const auto& budget : redeem_budgets(program, order)) budgets.push_back(budget.money);
}

Money Bounds::floor(std::uint32_t line_index, Quantity quantity, const Enclosing& enclosing) const {
    const Line& line = order.lines[line_index];
    Money floor = line.min_price ? times(*line.min_price, quantity) : Money{};
    for (const Enclosing* node = &enclosing; node; node = node->outer) {
        if (!node->group) continue;
        const Limits& limits = node->group->limits;
        if (limits.min_price_amount) floor = std::max(floor, times(*limits.min_price_amount, quantity));
        if (limits.min_price_share) floor = std::max(floor, times(line.price, *limits.min_price_share, quantity));
    }
    return floor;
}

Money Bounds::reduction_left(const State& state, const Enclosing& enclosing) const {
    Money left{INT64_MAX};
    for (const Enclosing* node = &enclosing; node; node = node->outer) {
        if (!node->max_discount) continue;
        const Money used = state.reduced[static_cast<std::size_t>(node->depth())];
        left = std::min(left, std::max(Money{}, *node->max_discount - used));
    }
    return left;
}

Money Bounds::shipping_left(const State& state, const Enclosing& enclosing) const {
    if (enclosing.group) return state.shipping;
    const Money used = state.reduced[static_cast<std::size_t>(enclosing.depth())];
    return std::max(Money{}, *enclosing.max_discount - used);
}

Money Bounds::budget_left(const State& state, std::uint32_t point_type) const {
    const Money left = budgets[point_type] - state.paid[point_type];
    const auto& most = program.point_types[point_type].redeem_max;
    if (!most) return left;
    Money goods = state.goods();
    for (const Money paid : state.paid) goods += paid;
    return std::clamp(Money{scaled(goods.units, *most, Rounding::down)} - state.paid[point_type], Money{}, left);
}

std::optional<Money> Bounds::max_discount(const Group& group) const {
    if (group.limits.max_discount_amount) return group.limits.max_discount_amount;
    if (group.limits.max_discount_share) return Money{scaled(base_goods_.units, *group.limits.max_discount_share)};
    return std::nullopt;
}

namespace {

// What the floors leave of a proposal's parts.
std::vector<std::int64_t> rooms_of(const Bounds& bounds, const Enclosing& enclosing, const State& state,
                                   const Proposal& proposal) {
    std::vector<std::int64_t> rooms;
    rooms.reserve(proposal.parts.size());
    for (const auto& part : proposal.parts) {
        const Money floor = bounds.floor(state.groups[part.group].line, part.quantity, enclosing);
        rooms.push_back(std::max(Money{}, part.total - floor).units);
    }
    return rooms;
}

// What shares one amount: a part or the shipping.
struct Share {
    Money* asked;
    Money total;
    std::int64_t room;
};

// What a floor refuses of one is asked of the others, in proportion to the totals. Of what nobody has room for each
// keeps its share.
void move_refused(const std::vector<Share>& sharing) {
    std::vector<std::int64_t> weights, rooms;
    Money amount;
    bool fits = true;
    for (const auto& share : sharing) {
        weights.push_back(share.total.units);
        rooms.push_back(share.room);
        amount += *share.asked;
        fits = fits && share.asked->units <= share.room;
    }
    if (fits) return;
    const auto placed = fill(amount.units, weights, rooms);
    for (const auto units : placed) amount -= Money{units};
    const auto refused = allot(amount.units, weights);
    for (std::size_t i = 0; i < sharing.size(); i++) *sharing[i].asked = Money{placed[i] + refused[i]};
}

// The shipping, if it has a share, belongs to the first sum.
void move_refused(const std::vector<std::int64_t>& rooms, Proposal& proposal) {
    std::map<std::uint32_t, std::vector<Share>> sums;
    for (std::size_t i = 0; i < rooms.size(); i++) {
        Part& part = proposal.parts[i];
        sums[part.sum].push_back({&part.asked, part.total, rooms[i]});
    }
    sums[0].push_back({&proposal.shipping, proposal.shipping_total, proposal.shipping_total.units});
    for (const auto& [number, sharing] : sums) move_refused(sharing);
}

}  // namespace

Entries commit(const Bounds& bounds, const Enclosing& enclosing, State& state, std::uint32_t benefit,
               Proposal proposal) {
    const Entry pattern = entry_for(benefit, proposal);
    const auto rooms = rooms_of(bounds, enclosing, state, proposal);
    if (proposal.is_amount) move_refused(rooms, proposal);
    std::vector<std::int64_t> allowed;
    allowed.reserve(rooms.size());
    for (std::size_t i = 0; i < rooms.size(); i++)
        allowed.push_back(std::min(proposal.parts[i].asked.units, rooms[i]));
    const auto by_floors = allowed;
    cut_to(allowed, allowed_sum(bounds, enclosing, state, proposal.point_type));
    const CutBy by_sum =
        allowed == by_floors ? CutBy{} : cut_by_sum(bounds, state, enclosing, proposal.point_type);

    const Entries bought = bought_entries(state, pattern, proposal);
    Entries entries;
    std::size_t added = 0;
    for (std::size_t i = 0; i < proposal.parts.size(); i++) {
        Part part = proposal.parts[i];
        if (part.asked.is_zero()) continue;
        part.group += added;
        Entry entry = part_entry(state, pattern, part);
        entry.applied = Money{allowed[i]};
        if (by_floors[i] < entry.asked.units)
            entry.cut_by |= cut_by_floor(bounds, entry.line, part.quantity, enclosing);
        if (allowed[i] < by_floors[i]) entry.cut_by |= by_sum;
        if (!entry.applied.is_zero()) {
            account(state, enclosing, proposal.point_type, std::max(Money{}, entry.applied));
            added += reduce_part(state, part.group, part, entry.applied, entry.kind);
        }
        entries.push_back(entry);
    }
    if (std::any_of(entries.begin(), entries.end(), [](const Entry& entry) { return entry.has_effect(); })) {
        for (const auto& entry : bought) split_at(state, entry);
        entries.insert(entries.begin(), bought.begin(), bought.end());
    }
    const Entries shipping = commit_shipping(bounds, enclosing, state, pattern, proposal.shipping);
    entries.insert(entries.end(), shipping.begin(), shipping.end());
    add_gifts(entries, benefit, proposal);
    return entries;
}

namespace {

// Sums effects of several children on one state. Works on pieces: the unit groups of the common partition.
class Summation {
public:
    Summation(const Bounds& bounds, const Enclosing& enclosing, State& state, const std::vector<Entries>& summands)
        : bounds_(bounds), enclosing_(enclosing), state_(state) {
        for (const auto& entries : summands) {
            for (const auto& entry : entries) sort_in(entry);
        }
    }

    Entries run() {
        partition();
        spread();
        apply(Entry::Kind::money, no_point_type);
        for (const auto& redeem : bounds_.order.redeem) apply(Entry::Kind::paid_by_points, redeem.point_type);
        apply_shipping();
        return std::move(result_);
    }

private:
    struct Piece {
        UnitGroup units;
        Money room;
    };

    void sort_in(const Entry& entry) {
        if (entry.kind != Entry::Kind::money && entry.kind != Entry::Kind::paid_by_points) {
            gifts_.push_back(entry);
        } else if (entry.target == Entry::Target::shipping) {
            shipping_.push_back(entry);
        } else {
            goods_.push_back(entry);
        }
    }

    // CutBy the groups at every border of an effect; a group's total is split by quantity.
    void partition() {
        std::vector<UnitGroup> pieces;
        std::vector<Entry> by_line = goods_;
        std::stable_sort(by_line.begin(), by_line.end(),
                         [](const Entry& a, const Entry& b) { return a.line < b.line; });
        auto entry = by_line.begin();
        for (const auto& group : state_.groups) {
            while (entry != by_line.end() && entry->line < group.line) ++entry;
            std::vector<Quantity> borders{group.from, group.to};
            for (auto e = entry; e != by_line.end() && e->line == group.line; ++e) {
                if (e->applied.is_zero() && !e->bought) continue;
                for (const Quantity border : {e->from, e->to}) {
                    if (border > group.from && border < group.to) borders.push_back(border);
                }
            }
            std::sort(borders.begin(), borders.end());
            borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
            std::vector<std::int64_t> weights;
            for (std::size_t i = 0; i + 1 < borders.size(); i++) weights.push_back((borders[i + 1] - borders[i]).units);
            const auto totals = allot(group.total.units, weights);
            for (std::size_t i = 0; i < weights.size(); i++) {
                pieces.push_back({group.line, borders[i], borders[i + 1], Money{totals[i]}, group.lowered});
            }
        }
        state_.groups = std::move(pieces);
        rooms_.reserve(state_.groups.size());
        for (const auto& group : state_.groups) {
            const Money floor = bounds_.floor(group.line, group.quantity(), enclosing_);
            rooms_.push_back(std::max(Money{}, group.total - floor));
        }
    }

    // Spreads each effect over the pieces it covers, by quantity.
    void spread() {
        of_piece_.resize(state_.groups.size());
        for (const auto& entry : goods_) {
            if (entry.applied.is_zero()) {
                result_.push_back(entry);
                continue;
            }
            std::vector<std::size_t> pieces;
            std::vector<std::int64_t> weights;
            for (auto i = state_.first_group(entry.line); i < state_.groups.size(); i++) {
                const UnitGroup& piece = state_.groups[i];
                if (piece.line != entry.line || piece.from >= entry.to) break;
                if (piece.to <= entry.from) continue;
                pieces.push_back(i);
                weights.push_back(piece.quantity().units);
            }
            // A raise is a negative reduction.
            const std::int64_t sign = entry.applied < Money{} ? -1 : 1;
            const auto asked = allot(sign * entry.asked.units, weights);
            const auto applied = allot(sign * entry.applied.units, weights);
            for (std::size_t i = 0; i < pieces.size(); i++) {
                Entry share = entry;
                share.from = state_.groups[pieces[i]].from;
                share.to = state_.groups[pieces[i]].to;
                share.asked = Money{sign * asked[i]};
                share.applied = Money{sign * applied[i]};
                share.found = state_.groups[pieces[i]].total;
                of_piece_[pieces[i]].push_back(share);
            }
        }
    }

    void apply(Entry::Kind kind, std::uint32_t point_type) {
        const auto counts = [&](const Entry& entry) { return entry.kind == kind && entry.point_type == point_type; };
        std::vector<std::int64_t> allowed(state_.groups.size(), 0);
        std::vector<Money> raises(allowed.size());
        std::vector<CutBy> cuts(allowed.size());
        for (std::size_t i = 0; i < allowed.size(); i++) {
            Money sum;
            for (const auto& entry : of_piece_[i]) {
                if (counts(entry)) (entry.applied < Money{} ? raises[i] : sum) += entry.applied;
            }
            const Money room = rooms_[i] - raises[i];
            allowed[i] = std::min(sum, room).units;
            const UnitGroup& piece = state_.groups[i];
            if (sum > room) cuts[i] = cut_by_floor(bounds_, piece.line, piece.quantity(), enclosing_);
        }
        const auto before = allowed;
        cut_to(allowed, allowed_sum(bounds_, enclosing_, state_, point_type));
        if (allowed != before) {
            const CutBy by_sum = cut_by_sum(bounds_, state_, enclosing_, point_type);
            for (std::size_t i = 0; i < allowed.size(); i++) {
                if (allowed[i] < before[i]) cuts[i] |= by_sum;
            }
        }
        for (std::size_t i = 0; i < allowed.size(); i++) {
            const Money reduction{allowed[i]};
            state_.groups[i].total -= reduction + raises[i];
            if (kind == Entry::Kind::money && reduction > Money{}) state_.groups[i].lowered = true;
            rooms_[i] -= reduction + raises[i];
            account(state_, enclosing_, point_type, reduction);
            share_out(of_piece_[i], counts, reduction, cuts[i]);
        }
    }

    // Divides what was taken off a piece over the effects that asked for it; raises are not cut.
    template <class Counts>
    void share_out(std::vector<Entry>& entries, const Counts& counts, Money applied, const CutBy& cuts) {
        std::vector<std::int64_t> weights;
        for (const auto& entry : entries) {
            if (counts(entry)) weights.push_back(std::max(Money{}, entry.applied).units);
        }
        if (weights.empty()) return;
        const auto shares = allot(applied.units, weights);
        std::size_t next = 0;
        for (auto& entry : entries) {
            if (!counts(entry)) continue;
            const Money share = std::min(entry.applied, Money{shares[next++]});
            if (share < entry.applied) entry.cut_by |= cuts;
            entry.applied = share;
            result_.push_back(entry);
        }
    }

    void apply_shipping() {
        std::vector<std::int64_t> amounts;
        for (const auto& entry : shipping_) amounts.push_back(entry.applied.units);
        const Money budget = bounds_.shipping_left(state_, enclosing_);
        CutBy cuts;
        cuts.budget = budget < state_.shipping;
        cuts.price = !cuts.budget;
        cut_to(amounts, std::min(state_.shipping, budget));
        for (std::size_t i = 0; i < amounts.size(); i++) {
            if (Money{amounts[i]} < shipping_[i].applied) shipping_[i].cut_by |= cuts;
            shipping_[i].applied = Money{amounts[i]};
            reduce_shipping(state_, enclosing_, shipping_[i].applied);
            result_.push_back(shipping_[i]);
        }
        result_.insert(result_.end(), gifts_.begin(), gifts_.end());
    }

    const Bounds& bounds_;
    const Enclosing& enclosing_;
    State& state_;
    Entries goods_;
    Entries shipping_;
    Entries gifts_;
    std::vector<Money> rooms_;                  // per piece: what its floor still allows
    std::vector<std::vector<Entry>> of_piece_;  // per piece: the effects' shares
    Entries result_;
};

}  // namespace

Entries commit_sum(const Bounds& bounds, const Enclosing& enclosing, State& state,
                   const std::vector<Entries>& summands) {
    return Summation(bounds, enclosing, state, summands).run();
}

}  // namespace loyalty

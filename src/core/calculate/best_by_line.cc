#include "core/calculate/best_by_line.hpp"

#include "core/money/allot.hpp"

#include <algorithm>
#include <map>

namespace loyalty {

namespace {

// The common partition of the units that the children touched.
class Pieces {
public:
    Pieces(const State& state, const std::vector<Entries>& alone,
           const std::function<bool(const UnitGroup&)>& is_free) {
        std::map<std::uint32_t, std::vector<Quantity>> borders;
        for (const auto& entries : alone) {
            for (const auto& entry : entries) {
                if (!is_price(entry) || entry.applied.is_zero()) continue;
                borders[entry.line].push_back(entry.from);
                borders[entry.line].push_back(entry.to);
            }
        }
        for (const auto& group : state.groups) add(group, borders[group.line], is_free(group));
    }

    static bool is_price(const Entry& entry) {
        return entry.kind == Entry::Kind::money || entry.kind == Entry::Kind::paid_by_points;
    }

    std::size_t size() const { return pieces_.size(); }
    const UnitGroup& operator[](std::size_t i) const { return pieces_[i]; }

    // Those that an effect lies on.
    std::vector<std::size_t> below(const Entry& entry) const {
        std::vector<std::size_t> found;
        const auto before = [](const UnitGroup& piece, std::uint32_t line) { return piece.line < line; };
        const auto first = std::lower_bound(pieces_.begin(), pieces_.end(), entry.line, before);
        for (auto piece = first; piece != pieces_.end() && piece->line == entry.line; ++piece) {
            const auto i = static_cast<std::size_t>(piece - pieces_.begin());
            const bool within = is_price(entry) ? entry.from <= piece->from && piece->to <= entry.to : bool{free_[i]};
            if (within) found.push_back(i);
        }
        return found;
    }

private:
    void add(const UnitGroup& group, const std::vector<Quantity>& of_line, bool is_free) {
        std::vector<Quantity> borders{group.from, group.to};
        for (const Quantity border : of_line) {
            if (group.from < border && border < group.to) borders.push_back(border);
        }
        std::sort(borders.begin(), borders.end());
        borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
        for (std::size_t i = 0; i + 1 < borders.size(); i++) {
            pieces_.push_back({group.line, borders[i], borders[i + 1], Money{}, group.lowered});
            free_.push_back(is_free);
        }
    }

    std::vector<UnitGroup> pieces_;  // by line, then by unit
    std::vector<bool> free_;
};

// An effect's shares of the pieces that it lies on, by quantity.
std::map<std::size_t, Entry> spread(const Pieces& pieces, const Entry& entry) {
    const auto below = pieces.below(entry);
    std::vector<std::int64_t> weights;
    for (const auto i : below) weights.push_back(pieces[i].quantity().units);
    const auto share = [&](std::int64_t figure) { return allot(figure, weights); };
    // A raise is a negative reduction.
    const std::int64_t sign = entry.applied < Money{} ? -1 : 1;
    const auto applied = share(sign * entry.applied.units), refused = share((entry.asked - entry.applied).units);
    const auto points = share(entry.points.units), points_cut = share(entry.points_cut.units);
    std::map<std::size_t, Entry> shares;
    for (std::size_t i = 0; i < below.size(); i++) {
        Entry own = entry;
        own.from = pieces[below[i]].from;
        own.to = pieces[below[i]].to;
        own.applied = Money{sign * applied[i]};
        own.asked = own.applied + Money{refused[i]};
        own.points = Points{points[i]};
        own.points_cut = Points{points_cut[i]};
        if (own.applied == own.asked && own.points_cut.is_zero()) own.cut_by = CutBy{};
        shares.emplace(below[i], own);
    }
    return shares;
}

int128 worth_of(const Program& program, const Entry& entry) {
    const int128 money = checked_product(entry.applied.units, program.value_denominator);
    if (entry.points.is_zero()) return money;
    return money + checked_product(entry.points.units, program.point_types[entry.point_type].value);
}

}  // namespace

std::vector<Entries> keep_best_by_line(const Program& program, const State& state, const std::vector<Entries>& alone,
                                       const std::function<bool(const UnitGroup&)>& is_free) {
    const Pieces pieces(state, alone, is_free);
    std::vector<std::vector<std::map<std::size_t, Entry>>> shares(alone.size());
    std::vector<int128> most(pieces.size(), 0);
    std::vector<std::size_t> winner(pieces.size(), alone.size());
    for (std::size_t child = 0; child < alone.size(); child++) {
        std::map<std::size_t, int128> worth;
        for (const auto& entry : alone[child]) {
            shares[child].push_back(spread(pieces, entry));
            for (const auto& [piece, own] : shares[child].back()) worth[piece] += worth_of(program, own);
        }
        for (const auto& [piece, own] : worth) {
            if (own <= most[piece]) continue;
            most[piece] = own;
            winner[piece] = child;
        }
    }
    std::vector<Entries> kept(alone.size());
    for (std::size_t child = 0; child < alone.size(); child++) {
        for (const auto& of_entry : shares[child]) {
            for (const auto& [piece, own] : of_entry) {
                if (winner[piece] == child && own.has_effect()) kept[child].push_back(own);
            }
        }
    }
    return kept;
}

}  // namespace loyalty

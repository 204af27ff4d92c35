#include "core/benefits/sets.hpp"
#include "core/calculate/work.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

namespace loyalty {

namespace {

// What is to be least: first of the units got, then of those bought.
struct Cost {
    int128 got = 0, bought = 0;

    friend Cost operator+(const Cost& a, const Cost& b) { return {a.got + b.got, a.bought + b.bought}; }
    friend Cost operator-(const Cost& a) { return {-a.got, -a.bought}; }
    friend bool operator==(const Cost&, const Cost&) = default;
    friend bool operator<(const Cost& a, const Cost& b) { return a.got != b.got ? a.got < b.got : a.bought < b.bought; }
};

// Unit groups of one kind in the order in which they are taken.
class Queue {
public:
    Queue(const std::vector<SetUnits>& units, std::vector<std::size_t> groups, bool dearest_first)
        : units_(&units), groups_(std::move(groups)) {
        std::stable_sort(groups_.begin(), groups_.end(), [&](std::size_t a, std::size_t b) {
            return dearest_first ? units[a].price > units[b].price : units[a].price < units[b].price;
        });
        std::int64_t end = 0;
        for (const auto group : groups_) ends_.push_back(end += units[group].count);
    }

    const std::vector<std::size_t>& groups() const { return groups_; }
    std::int64_t size() const { return ends_.back(); }
    // The price of the unit behind the first `taken`, and how many more there are in its group.
    int128 next_price(std::int64_t taken) const { return price(group_at(taken)); }
    std::int64_t more(std::int64_t taken) const { return ends_[group_at(taken)] - taken; }
    // The price of the last of them, and how many of its group they are.
    int128 last_price(std::int64_t taken) const { return price(group_at(taken - 1)); }
    std::int64_t of_last(std::int64_t taken) const {
        const std::size_t group = group_at(taken - 1);
        return taken - (group == 0 ? 0 : ends_[group - 1]);
    }

private:
    int128 price(std::size_t i) const { return (*units_)[groups_[i]].price; }
    std::size_t group_at(std::int64_t unit) const {
        return static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), unit) - ends_.begin());
    }

    const std::vector<SetUnits>* units_;
    std::vector<std::size_t> groups_;
    std::vector<std::int64_t> ends_;
};

// Units that fit the same parts, and how many of them are got and bought so far. `least_` and `most_` hold what is
// settled.
struct Kind {
    std::uint32_t fits;
    Queue cheapest, dearest;
    std::int64_t got = 0, bought = 0;
    std::int64_t least_got = 0, least_bought = 0;
    bool got_is_settled = false;
    std::vector<std::int64_t> filled;  // by part

    std::int64_t used() const { return got + bought; }
};

// A way that units can still go, or go back. From the source through kinds, and what is got or bought of them, to
// parts.
struct Arc {
    enum class What : std::uint8_t { use, get, buy, fill, deliver };

    What what;
    bool back;
    std::size_t kind, part;
    std::size_t from, to;
    Cost cost;
    std::int64_t room;
};

class Flow {
public:
    Flow(const std::vector<SetUnits>& units, const std::vector<SetPart>& parts, bool dearest, std::int64_t times,
         Work* work)
        : units_(units), parts_(parts), dearest_(dearest), work_(work) {
        std::map<std::uint32_t, std::vector<std::size_t>> groups;
        for (std::size_t i = 0; i < units.size(); i++) {
            if (units[i].fits != 0 && units[i].count > 0) groups[units[i].fits].push_back(i);
        }
        for (const auto& [fits, of_kind] : groups) {
            kinds_.push_back({fits, Queue(units, of_kind, false), Queue(units, of_kind, true), 0, 0, 0, 0, false,
                              std::vector<std::int64_t>(parts.size(), 0)});
        }
        for (const auto& part : parts) wanted_.push_back(part.count * times);
    }

    SetChoice run() {
        while (std::any_of(wanted_.begin(), wanted_.end(), [](std::int64_t left) { return left > 0; })) {
            const auto way = cheapest_way(source, sink());
            if (way.empty()) break;
            send(way, room_of(way));
        }
        if (kinds_.size() > 1) prefer_earliest();
        return settle();
    }

private:
    static constexpr std::size_t source = 0;

    void count(std::size_t steps) const {
        if (work_) work_->add(Step::set, steps);
    }

    std::size_t node_of(std::size_t kind) const { return 1 + 3 * kind; }
    std::size_t node_of_got(std::size_t kind) const { return 2 + 3 * kind; }
    std::size_t node_of_bought(std::size_t kind) const { return 3 + 3 * kind; }
    std::size_t node_of_part(std::size_t part) const { return 1 + 3 * kinds_.size() + part; }
    std::size_t sink() const { return node_of_part(parts_.size()); }

    // Of the dearest units all that are used are counted as bought, and those got are taken off again: what is bought
    // are the dearest behind those got. Of the cheapest ones those bought come from the other end.
    Cost cost_of_used(int128 price) const { return dearest_ ? Cost{0, -price} : Cost{}; }
    Cost cost_of_got(int128 price) const { return dearest_ ? Cost{-price, price} : Cost{price, 0}; }
    Cost cost_of_bought(int128 price) const { return dearest_ ? Cost{} : Cost{0, -price}; }

    template <class Visit>
    void for_each_arc(const Visit& visit) const {
        for (std::size_t k = 0; k < kinds_.size(); k++) {
            const Kind& kind = kinds_[k];
            visit_use(k, kind, visit);
            visit_get(k, kind, visit);
            visit_buy(k, kind, visit);
            for (std::size_t p = 0; p < parts_.size(); p++) {
                if ((kind.fits >> p & 1) == 0) continue;
                const std::size_t hub = parts_[p].is_got ? node_of_got(k) : node_of_bought(k);
                visit(Arc{Arc::What::fill, false, k, p, hub, node_of_part(p), {}, INT64_MAX});
                if (kind.filled[p] > 0)
                    visit(Arc{Arc::What::fill, true, k, p, node_of_part(p), hub, {}, kind.filled[p]});
            }
        }
        for (std::size_t p = 0; p < parts_.size(); p++) {
            if (wanted_[p] > 0) visit(Arc{Arc::What::deliver, false, 0, p, node_of_part(p), sink(), {}, wanted_[p]});
        }
    }

    template <class Visit>
    void visit_use(std::size_t k, const Kind& kind, const Visit& visit) const {
        const std::int64_t used = kind.used();
        const Queue& queue = kind.dearest;
        const auto arc = [&](bool back, int128 price, std::int64_t room) {
            const Cost cost = cost_of_used(price);
            visit(Arc{Arc::What::use, back, k, 0, back ? node_of(k) : source, back ? source : node_of(k),
                      back ? -cost : cost, room});
        };
        if (used < queue.size()) arc(false, queue.next_price(used), queue.more(used));
        if (used > 0) arc(true, queue.last_price(used), queue.of_last(used));
    }

    template <class Visit>
    void visit_get(std::size_t k, const Kind& kind, const Visit& visit) const {
        if (kind.got_is_settled) return;
        const Queue& queue = queue_of_got(kind);
        const auto arc = [&](bool back, int128 price, std::int64_t room) {
            const Cost cost = cost_of_got(price);
            visit(Arc{Arc::What::get, back, k, 0, back ? node_of_got(k) : node_of(k),
                      back ? node_of(k) : node_of_got(k), back ? -cost : cost, room});
        };
        if (kind.got < queue.size()) arc(false, queue.next_price(kind.got), queue.more(kind.got));
        if (kind.got > kind.least_got)
            arc(true, queue.last_price(kind.got), std::min(queue.of_last(kind.got), kind.got - kind.least_got));
    }

    template <class Visit>
    void visit_buy(std::size_t k, const Kind& kind, const Visit& visit) const {
        const Queue& queue = kind.dearest;
        const auto arc = [&](bool back, int128 price, std::int64_t room) {
            const Cost cost = cost_of_bought(price);
            visit(Arc{Arc::What::buy, back, k, 0, back ? node_of_bought(k) : node_of(k),
                      back ? node_of(k) : node_of_bought(k), back ? -cost : cost, room});
        };
        if (kind.bought < queue.size()) arc(false, queue.next_price(kind.bought), queue.more(kind.bought));
        if (kind.bought > kind.least_bought)
            arc(true, queue.last_price(kind.bought),
                std::min(queue.of_last(kind.bought), kind.bought - kind.least_bought));
    }

    // Of all ways from one node to another the one that costs least.
    std::vector<Arc> cheapest_way(std::size_t from, std::size_t to) const {
        std::vector<Arc> arcs;
        for_each_arc([&](const Arc& arc) { arcs.push_back(arc); });
        count(arcs.size());
        std::vector<std::optional<Cost>> costs(sink() + 1);
        std::vector<std::size_t> last(sink() + 1, arcs.size());
        costs[from] = Cost{};
        for (bool changed = true; changed;) {
            changed = false;
            for (std::size_t i = 0; i < arcs.size(); i++) {
                const Arc& arc = arcs[i];
                if (!costs[arc.from] || arc.to == from) continue;
                const Cost cost = *costs[arc.from] + arc.cost;
                if (costs[arc.to] && !(cost < *costs[arc.to])) continue;
                costs[arc.to] = cost;
                last[arc.to] = i;
                changed = true;
            }
        }
        std::vector<Arc> way;
        if (!costs[to]) return way;
        for (std::size_t node = to; node != from; node = arcs[last[node]].from) way.push_back(arcs[last[node]]);
        return way;
    }

    static std::int64_t room_of(const std::vector<Arc>& way) {
        std::int64_t room = INT64_MAX;
        for (const auto& arc : way) room = std::min(room, arc.room);
        return room;
    }

    void send(const std::vector<Arc>& way, std::int64_t units) {
        for (const auto& arc : way) {
            const std::int64_t change = arc.back ? -units : units;
            if (arc.what == Arc::What::get) kinds_[arc.kind].got += change;
            if (arc.what == Arc::What::buy) kinds_[arc.kind].bought += change;
            if (arc.what == Arc::What::fill) kinds_[arc.kind].filled[arc.part] += change;
            if (arc.what == Arc::What::deliver) wanted_[arc.part] -= change;
        }
    }

    // Other ways may cost as much: the earliest units get what they can, one unit group after the other.
    void prefer_earliest() {
        find_potentials();
        std::vector<std::size_t> kind_of(units_.size(), kinds_.size());
        for (std::size_t k = 0; k < kinds_.size(); k++) {
            for (const auto group : kinds_[k].dearest.groups()) kind_of[group] = k;
        }
        const auto raise_all = [&](Arc::What what) {
            const auto ends = what == Arc::What::get ? ends_of_got() : ends_of_bought();
            for (std::size_t group = 0; group < units_.size(); group++) {
                if (kind_of[group] < kinds_.size()) raise(kind_of[group], what, ends[group]);
            }
        };
        raise_all(Arc::What::get);
        for (auto& kind : kinds_) kind.got_is_settled = true;
        raise_all(Arc::What::buy);
    }

    // Where the units of a group begin and end among those that the kind gets, or buys.
    struct Range {
        std::int64_t from = 0, to = 0;
    };

    std::vector<Range> ends_of_got() const {
        std::vector<Range> ends(units_.size());
        for (const auto& kind : kinds_) {
            std::int64_t end = 0;
            for (const auto group : queue_of_got(kind).groups()) {
                ends[group].from = end;
                ends[group].to = end += units_[group].count;
            }
        }
        return ends;
    }

    std::vector<Range> ends_of_bought() const {
        const auto got = settle().got;
        std::vector<Range> ends(units_.size());
        for (const auto& kind : kinds_) {
            std::int64_t end = 0;
            for (const auto group : kind.dearest.groups()) {
                ends[group].from = end;
                ends[group].to = end += units_[group].count - got[group];
            }
        }
        return ends;
    }

    void raise(std::size_t k, Arc::What what, const Range& range) {
        Kind& kind = kinds_[k];
        std::int64_t& count = what == Arc::What::get ? kind.got : kind.bought;
        std::int64_t& least = what == Arc::What::get ? kind.least_got : kind.least_bought;
        while (count < range.to && exchange(k, what, range.to - count)) continue;
        if (count > range.from) least = std::max(least, std::min(count, range.to));
    }

    // Prices of nodes under which no arc is worth taking; those that cost nothing may be taken for nothing. They stay
    // good while units go along these alone.
    void find_potentials() {
        std::vector<Arc> arcs;
        for_each_arc([&](const Arc& arc) { arcs.push_back(arc); });
        potentials_.assign(sink() + 1, Cost{});
        for (bool changed = true; changed;) {
            changed = false;
            for (const auto& arc : arcs) {
                const Cost cost = potentials_[arc.from] + arc.cost;
                if (!(cost < potentials_[arc.to])) continue;
                potentials_[arc.to] = cost;
                changed = true;
            }
        }
    }

    bool is_free(const Arc& arc) const { return potentials_[arc.from] + arc.cost == potentials_[arc.to]; }

    // One more of a kind for one less of others, where that costs nothing.
    bool exchange(std::size_t k, Arc::What what, std::int64_t most) {
        std::optional<Arc> more;
        const auto note = [&](const Arc& arc) {
            if (!arc.back && is_free(arc)) more = arc;
        };
        what == Arc::What::get ? visit_get(k, kinds_[k], note) : visit_buy(k, kinds_[k], note);
        if (!more) return false;
        std::vector<Arc> way = free_way(*more);
        if (way.empty()) return false;
        way.push_back(*more);
        send(way, std::min(most, room_of(way)));
        return true;
    }

    // From the end of an arc back to its beginning.
    std::vector<Arc> free_way(const Arc& around) const {
        std::vector<Arc> arcs;
        for_each_arc([&](const Arc& arc) {
            if ((arc.what != around.what || arc.kind != around.kind) && is_free(arc)) arcs.push_back(arc);
        });
        count(arcs.size());
        std::vector<std::size_t> last(sink() + 1, arcs.size());
        std::vector<std::size_t> next{around.to};
        for (std::size_t seen = 0; seen < next.size() && next[seen] != around.from; seen++) {
            for (std::size_t i = 0; i < arcs.size(); i++) {
                if (arcs[i].from != next[seen] || arcs[i].to == around.to || last[arcs[i].to] < arcs.size()) continue;
                last[arcs[i].to] = i;
                next.push_back(arcs[i].to);
            }
        }
        std::vector<Arc> way;
        if (last[around.from] == arcs.size()) return way;
        for (std::size_t node = around.from; node != around.to; node = arcs[last[node]].from)
            way.push_back(arcs[last[node]]);
        return way;
    }

    const Queue& queue_of_got(const Kind& kind) const { return dearest_ ? kind.dearest : kind.cheapest; }

    SetChoice settle() const {
        SetChoice choice{std::vector<std::int64_t>(units_.size(), 0), std::vector<std::int64_t>(units_.size(), 0)};
        for (const auto& kind : kinds_) {
            std::int64_t left = kind.got;
            for (const auto group : queue_of_got(kind).groups()) {
                choice.got[group] = std::min(left, units_[group].count);
                left -= choice.got[group];
            }
            left = kind.bought;
            for (const auto group : kind.dearest.groups()) {
                choice.bought[group] = std::min(left, units_[group].count - choice.got[group]);
                left -= choice.bought[group];
            }
        }
        return choice;
    }

    const std::vector<SetUnits>& units_;
    const std::vector<SetPart>& parts_;
    bool dearest_;
    Work* work_;
    std::vector<Kind> kinds_;
    std::vector<std::int64_t> wanted_;  // by part: units that are missing still
    std::vector<Cost> potentials_;      // by node
};

}  // namespace

Sets::Sets(std::vector<SetUnits> units, std::vector<SetPart> parts, bool dearest)
    : units_(std::move(units)), parts_(std::move(parts)), dearest_(dearest) {}

std::int64_t Sets::units_for(std::uint32_t parts) const {
    std::int64_t units = 0;
    for (const auto& group : units_) units += (group.fits & parts) != 0 ? group.count : 0;
    return units;
}

std::int64_t Sets::count_of(std::uint32_t parts) const {
    std::int64_t count = 0;
    for (std::size_t p = 0; p < parts_.size(); p++) count += (parts >> p & 1) != 0 ? parts_[p].count : 0;
    return count;
}

// By the marriage theorem: sets can be formed where no parts together want more units than fit any of them.
std::int64_t Sets::most_times() const {
    std::int64_t times = INT64_MAX;
    for (std::uint32_t parts = 1; parts < 1U << parts_.size(); parts++)
        times = std::min(times, units_for(parts) / count_of(parts));
    return times;
}

SetShortage Sets::shortage(std::int64_t times) const {
    SetShortage most;
    for (std::uint32_t parts = 1; parts < 1U << parts_.size(); parts++) {
        const SetShortage found{parts, units_for(parts), times * count_of(parts)};
        if (found.wanted - found.units > most.wanted - most.units) most = found;
    }
    return most;
}

SetChoice Sets::choose(std::int64_t times, Work* work) const {
    return Flow(units_, parts_, dearest_, times, work).run();
}

}  // namespace loyalty

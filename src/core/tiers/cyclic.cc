#include "core/tiers/cyclic.hpp"

#include <algorithm>

namespace loyalty::tiers {

Rank Ladder::reached(Units points) const {
    return static_cast<Rank>(std::upper_bound(thresholds.begin(), thresholds.end(), points) - thresholds.begin()) - 1;
}

Units counting_points(const ledger::Account& account, Moment at, bool activated) {
    Units waiting = 0;
    for (const auto& lot : account.lots()) {
        if (activated ? lot.active_from > at : lot.active_from >= at) waiting += lot.remaining;
    }
    return account.total - waiting;
}

Units lifetime_change(const ledger::Account& account) {
    Units sum = 0;
    for (const auto& entry : account.entries()) {
        const bool counts = entry.type == ledger::Type::accrual || entry.type == ledger::Type::initial ||
                            entry.type == ledger::Type::reversal;
        if (counts) sum += entry.value - entry.owed - entry.lapsed;
    }
    return sum;
}

// The higher of the last review's tier, what is kept until a month's end, and what the points give at once.
Rank Review::merited(Moment at, bool activated) const {
    const Rank by_points = rules_.upgrade_at_once ? ladder_.reached(counting_points(account_, at, activated)) : none;
    return std::max({standing_.earned, standing_.kept, by_points});
}

void Review::become(Rank tier, Moment at, Cause cause) {
    if (at < member_from_ || tier == standing_.current) return;
    standing_.current = tier;
    changes_.push_back({at, tier, cause});
}

// Reviews and resets the periods that end at the moment. A fall may wait for the month's end; one that waits already
// does not wait longer.
Cause Review::end_periods(Moment at) {
    const bool review = next_review() == at;
    const bool reset = next_reset() == at;
    if (!review && !reset) return Cause::points;
    const Rank before = merited(at, false);
    const Moment month_end = review ? reviews_[next_review_].month_end : resets_[next_reset_].month_end;
    if (review) {
        standing_.earned = ladder_.reached(counting_points(account_, at, false));
        next_review_++;
    }
    if (reset) {
        account_.reset(at);
        next_reset_++;
    }
    if (rules_.extend_to_month_end && month_end > at && merited(at, false) < before) {
        standing_.kept = before;
        standing_.falls_at = month_end;
    }
    return review ? Cause::review : Cause::reset;
}

void Review::step(Moment at) {
    account_.expire(at);
    const bool falls = standing_.falls_at <= at;
    if (falls) {
        standing_.kept = none;
        standing_.falls_at = ledger::never;
    }
    const bool given_ends = standing_.given_until <= at;
    if (given_ends) {
        standing_.given = none;
        standing_.given_until = ledger::never;
    }
    Cause cause = end_periods(at);
    if (falls && cause == Cause::points) cause = Cause::month_end;
    if (given_ends && cause == Cause::points) cause = Cause::given_end;
    become(std::max(merited(at, true), standing_.given), at, cause);
}

Moment Review::due_at(Moment now) const {
    Moment due = std::min({next_review(), next_reset(), standing_.falls_at, standing_.given_until});
    if (!rules_.upgrade_at_once) return due;
    for (const auto& lot : account_.lots()) {
        if (lot.remaining == 0) continue;
        if (lot.expires_at > now) due = std::min(due, lot.expires_at);
        if (lot.active_from > now) due = std::min(due, lot.active_from);
    }
    return due;
}

void Review::run(Moment from, Moment now) {
    for (Moment at = due_at(from - 1); at <= now; at = due_at(at)) step(at);
}

Moment Review::lost_at(Moment now) {
    const Rank held = standing_.current;
    for (Moment at = due_at(now); at != ledger::never; at = due_at(at)) {
        step(at);
        if (standing_.current < held) return at;
    }
    return ledger::never;
}

void Review::settle(Moment now, Cause cause) {
    account_.expire(now);
    become(std::max(merited(now, true), standing_.given), now, cause);
}

Standing judge_cumulative(const Ladder& ladder, Units points, Standing standing, bool may_fall) {
    const Rank reached = ladder.reached(points);
    standing.earned = may_fall ? reached : std::max(standing.earned, reached);
    standing.current = std::max(standing.earned, standing.given);
    return standing;
}

}  // namespace loyalty::tiers

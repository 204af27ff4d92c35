// What a member holds in a tier group, and how the calendar changes it: of a cyclic group by periods, of any by the end
// of a tier that was given by hand.
//
// The calendar knows six kinds of moments. At one moment they come in this order: lots expire, what was kept until the
// month's end falls, what was given ends, the period is reviewed, points are reset, lots become active. Everything
// between two bookings of an account follows from its lots and these moments alone, so a review gives the same whenever
// it is made: by a job at once, by the next booking months later, or by a read that writes nothing.
//
// Tiers are ranks, 0 for the lowest; `none` is below them.
#pragma once

#include "core/ledger/account.hpp"

#include <vector>

namespace loyalty::tiers {

using ledger::Moment;
using ledger::Units;

using Rank = int;
inline constexpr Rank none = -1;

// The points from which each tier is held, rising.
struct Ladder {
    std::vector<Units> thresholds;

    Rank reached(Units points) const;
};

struct Rules {
    bool upgrade_at_once = false;
    bool extend_to_month_end = false;
};

// The end of a period, and the end of the calendar month in which its last day lies: until then a fall may wait.
struct PeriodEnd {
    Moment at = 0;
    Moment month_end = 0;
};

struct Standing {
    Rank current = none;
    Rank earned = none;  // by the last review; of a cumulative group, for ever; of a dynamic one, as last judged
    Rank kept = none;    // although the review gave less, until falls_at
    Moment falls_at = ledger::never;
    Rank given = none;  // by hand, until given_until: a floor, never a ceiling
    Moment given_until = ledger::never;
};

enum class Cause : std::uint8_t {
    enrolment,
    removal,
    points,
    review,
    reset,
    month_end,
    edit,
    judgement,
    given,
    given_end
};

struct Change {
    Moment at = 0;
    Rank tier = none;
    Cause cause = Cause::points;
};

// Points that count at a moment: the total less lots that are not active yet; without those becoming active then, where
// `activated` is false.
Units counting_points(const ledger::Account& account, Moment at, bool activated = true);

// What an account's new entries add to the points of a lifetime: what is spent, expires or is reset does not lessen
// them. A claim counts in full, whether it was met by points, is owed, or had lapsed; so settling what is owed counts
// no more.
Units lifetime_change(const ledger::Account& account);

// One member's way through the calendar. The account holds all its open lots; the ends are those not reviewed (or
// reset) yet, in time order, and reach beyond any moment run to.
class Review {
public:
    Review(const Ladder& ladder, Rules rules, ledger::Account& account, Standing standing,
           std::vector<PeriodEnd> reviews, std::vector<PeriodEnd> resets, Moment member_from)
        : ladder_(ladder),
          rules_(rules),
          account_(account),
          standing_(standing),
          reviews_(std::move(reviews)),
          resets_(std::move(resets)),
          member_from_(member_from) {}

    // Takes every moment from `from` (nothing was due before it) to `now`, both inclusive. Before `member_from` the
    // calendar goes on, but no tier is held.
    void run(Moment from, Moment now);
    // Then makes the tier what it is at `now`, for the given reason.
    void settle(Moment now, Cause cause);

    const Standing& standing() const { return standing_; }
    const std::vector<Change>& changes() const { return changes_; }
    Moment next_review() const { return next_review_ < reviews_.size() ? reviews_[next_review_].at : ledger::never; }
    Moment next_reset() const { return next_reset_ < resets_.size() ? resets_[next_reset_].at : ledger::never; }
    // The next moment at which anything changes by the calendar alone, after `now`.
    Moment due_at(Moment now) const;
    // Goes on from `now`, as far as the ends of periods reach, to the moment that gives a lower tier; never: none does.
    Moment lost_at(Moment now);

private:
    Rank merited(Moment at, bool activated) const;
    void step(Moment at);
    Cause end_periods(Moment at);
    void become(Rank tier, Moment at, Cause cause);

    const Ladder& ladder_;
    const Rules rules_;
    ledger::Account& account_;
    Standing standing_;
    const std::vector<PeriodEnd> reviews_, resets_;
    const Moment member_from_;
    std::size_t next_review_ = 0, next_reset_ = 0;
    std::vector<Change> changes_;
};

// A cumulative group: the tier reached is kept for ever, unless it may fall and the points did.
Standing judge_cumulative(const Ladder& ladder, Units points, Standing standing, bool may_fall);

}  // namespace loyalty::tiers

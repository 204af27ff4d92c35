#include "core/tiers/cyclic.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace loyalty::tiers {
namespace {

// Moments are days; periods end every 10, months every 30.
struct Case {
    Ladder ladder{{0, 100, 200, 300}};
    Rules rules;
    ledger::Account account;
    Standing standing{0, 0};
    std::vector<PeriodEnd> reviews, resets;
    Moment member_from = 0;

    Case() {
        for (Moment end = 10; end <= 100; end += 10) reviews.push_back({end, (end + 29) / 30 * 30});
        resets = reviews;
    }

    Case& lot(Units amount, Moment active_from, Moment expires_at = ledger::never, Units held = 0) {
        ledger::Lot lot;
        lot.seq = ++account.seq;
        lot.amount = lot.remaining = amount;
        lot.held = held;
        lot.active_from = active_from;
        lot.expires_at = expires_at;
        account.add(lot);
        account.sort();
        account.total += amount;
        return *this;
    }

    std::string run(Moment from, Moment now) {
        Review review(ladder, rules, account, standing, reviews, resets, member_from);
        review.run(from, now);
        review.settle(now, Cause::points);
        std::string shown;
        for (const auto& change : review.changes())
            shown += std::to_string(change.at) + ":" + std::to_string(change.tier) +
                     (change.cause == Cause::month_end ? "m " : " ");
        due = review.due_at(now);
        standing = review.standing();
        return shown;
    }

    Moment due = 0;
};

TEST(Ladder, ReachesTheHighestThresholdNotAboveThePoints) {
    const Ladder ladder{{10, 20}};
    EXPECT_EQ(none, ladder.reached(9));
    EXPECT_EQ(0, ladder.reached(10));
    EXPECT_EQ(0, ladder.reached(19));
    EXPECT_EQ(1, ladder.reached(20));
    EXPECT_EQ(none, Ladder{}.reached(1000));
    EXPECT_EQ(none, ladder.reached(-5));
}

TEST(Review, JudgesAtThePeriodsEndAndResets) {
    Case c;
    c.lot(250, 3);
    EXPECT_EQ("", c.run(10, 9));
    EXPECT_EQ("10:2 20:0 ", c.run(10, 25));
    EXPECT_EQ(0, c.account.total);
    EXPECT_EQ(30, c.due);
}

TEST(Review, ExpiresReviewsResetsAndActivatesInThisOrderAtOneMoment) {
    Case c;
    c.rules.upgrade_at_once = true;
    c.lot(100, 3).lot(150, 3, 10).lot(200, 10);
    // Without the expiration the review would give 2; with the activation before it, 3.
    EXPECT_EQ("10:2 ", c.run(10, 10));
    EXPECT_EQ(1, c.standing.earned);
    EXPECT_EQ(200, c.account.total);
}

TEST(Review, UpgradesAtOnceAndFallsBackToWhatWasReviewed) {
    Case c;
    c.rules.upgrade_at_once = true;
    c.lot(120, 2).lot(120, 5, 8);
    std::string history = c.run(1, 7);
    history += c.run(c.due, 9);
    history += c.run(c.due, 10);
    EXPECT_EQ("2:1 5:2 8:1 ", history);
    EXPECT_EQ(1, c.standing.earned);
}

TEST(Review, AFallWaitsForTheMonthsEndAndMayBeCancelled) {
    Case c;
    c.rules = {false, true};
    c.lot(250, 3);
    EXPECT_EQ("10:2 30:0 ", c.run(10, 45));
    Case again;
    again.rules = {true, true};
    again.lot(250, 3).lot(130, 22).lot(130, 29);
    // At 20 the fall to 0 begins to wait; by 30, the month's end, the points of the third period have cancelled it.
    EXPECT_EQ("3:2 ", again.run(3, 30));
    EXPECT_EQ(ledger::never, again.standing.falls_at);
    EXPECT_EQ(2, again.standing.earned);
}

TEST(Review, AFallAtTheMonthsEndDoesNotWait) {
    Case c;
    c.rules = {false, true};
    c.standing = {2, 2, none, ledger::never};
    EXPECT_EQ("30:0 ", c.run(30, 30));
}

TEST(Review, ResetsByARuleOfItsOwn) {
    Case c;
    c.resets = {{30, 30}, {60, 60}, {90, 90}};
    c.lot(150, 3);
    EXPECT_EQ("10:1 40:0 ", c.run(10, 55));
}

TEST(Review, LeavesHeldPointsUntilTheirHoldEnds) {
    Case c;
    c.lot(150, 3, ledger::never, 120);
    EXPECT_EQ("10:1 ", c.run(10, 25));
    EXPECT_EQ(120, c.account.total);
    ASSERT_EQ(1u, c.account.entries().size());
    EXPECT_EQ(ledger::Type::reset, c.account.entries()[0].type);
    EXPECT_EQ(-30, c.account.entries()[0].value);
}

TEST(Review, GoesOnWhileTheMemberIsAwayAndTellsNothing) {
    Case c;
    c.standing = {none, 2, none, ledger::never};
    c.member_from = 35;
    EXPECT_EQ("35:0 ", c.run(10, 35));
    Case soon;
    soon.standing = {none, 2, none, ledger::never};
    soon.member_from = 8;
    EXPECT_EQ("8:2 ", soon.run(10, 8));
}

// However often and whenever it is run, the history is the same.
TEST(Review, DoesNotDependOnWhenItIsRun) {
    for (int rules = 0; rules < 4; rules++) {
        std::string at_once, step_by_step;
        for (const bool daily : {false, true}) {
            Case c;
            c.rules = {(rules & 1) != 0, (rules & 2) != 0};
            c.lot(250, 3).lot(120, 12, 17).lot(210, 24).lot(90, 26).lot(310, 58, 63).lot(40, 59);
            std::string& history = daily ? step_by_step : at_once;
            Moment from = 0;
            for (Moment now = daily ? 0 : 95; now <= 95; now++) {
                history += c.run(from, now);
                c.reviews.erase(c.reviews.begin(), std::find_if(c.reviews.begin(), c.reviews.end(),
                                                                [&](const PeriodEnd& e) { return e.at > now; }));
                c.resets = c.reviews;
                from = c.due;
            }
        }
        EXPECT_EQ(at_once, step_by_step) << rules;
        EXPECT_NE("", at_once);
    }
}

TEST(Review, HoldsNoLessThanWhatWasGivenUntilItEnds) {
    Case given;
    given.lot(150, 0).standing = {2, 1};
    given.standing.given = 2;
    given.standing.given_until = 25;
    given.standing.current = 2;
    // Reviewed at 10, when points give 1, and reset then; at 20 nothing is left beneath.
    EXPECT_EQ("", given.run(0, 24));
    EXPECT_EQ(25, given.due);
    EXPECT_EQ("25:0 ", given.run(25, 25));
    EXPECT_EQ(none, given.standing.given);

    Case higher;
    higher.rules.upgrade_at_once = true;
    higher.standing.given = 1;
    higher.standing.current = 1;
    EXPECT_EQ("5:3 20:1 ", higher.lot(300, 5).run(0, 99));
}

TEST(Cumulative, IsKeptForEverUnlessItMayFall) {
    const Ladder ladder{{0, 100}};
    Standing standing{1, 1};
    EXPECT_EQ(1, judge_cumulative(ladder, 50, standing, false).current);
    EXPECT_EQ(0, judge_cumulative(ladder, 50, standing, true).current);
    EXPECT_EQ(1, judge_cumulative(ladder, 150, {0, 0}, false).current);
}

}  // namespace
}  // namespace loyalty::tiers

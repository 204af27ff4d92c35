// The account of the ledger: what the verbs do to lots, and what holds after any of them.
#include "core/ledger/account.hpp"

#include <gtest/gtest.h>

#include <random>

namespace loyalty::ledger {

namespace {

Units lots_of(const Account& account) {
    Units sum = 0;
    for (const auto& lot : account.lots()) sum += lot.remaining;
    return sum;
}

// What must hold between any two operations.
void expect_sound(const Account& account) {
    EXPECT_EQ(account.total + account.debt, lots_of(account));
    EXPECT_GE(account.debt, 0);
    EXPECT_GE(account.owed, 0);
    Units balance = 0;
    std::int64_t seq = 0;
    for (const auto& entry : account.entries()) {
        EXPECT_EQ(entry.seq, ++seq);
        EXPECT_EQ(entry.before, balance);
        balance += entry.value;
        EXPECT_EQ(entry.after, balance);
        Units moved = 0;
        for (const auto& movement : entry.movements) moved += movement.value;
        const bool by_movements = entry.type != Type::accrual && entry.type != Type::expiration;
        EXPECT_EQ(moved, entry.debt + (by_movements ? entry.value : 0));
    }
    EXPECT_EQ(balance, account.total);
    for (const auto& lot : account.lots()) {
        EXPECT_GE(lot.remaining, lot.held);
        EXPECT_LE(lot.remaining, lot.amount);
        EXPECT_GE(lot.held, 0);
    }
}

TEST(LedgerAccount, ConsumesTheSoonestExpiringFirst) {
    Account account;
    account.credit(Type::accrual, 10, 0, 0, never, 0);
    account.credit(Type::accrual, 10, 0, 0, 50, 0);
    account.credit(Type::accrual, 10, 0, 5, 20, 0);
    account.redeem(15, 1, 1);
    EXPECT_EQ(account.find(2)->remaining, 0);
    EXPECT_EQ(account.find(1)->remaining, 5);
    EXPECT_EQ(account.find(3)->remaining, 10);
    expect_sound(account);
}

TEST(LedgerAccount, TakesNothingTwiceOfWhatHasLapsed) {
    Account account;
    account.credit(Type::accrual, 10, 0, 0, 20, 0);
    account.redeem(6, 1, 1);
    account.credit(Type::accrual, 20, 2, 2, never, 2);
    account.expire(20);
    Claim claim;
    claim.accrual = 1;
    claim.amount = 10;
    claim.lapsed = 4;
    const Entry entry = account.entries()[account.reverse(claim, 21, 21)];
    EXPECT_EQ(entry.lapsed, 4);
    EXPECT_EQ(entry.value, -6);
    EXPECT_EQ(entry.owed, 0);
    expect_sound(account);
}

TEST(LedgerAccount, OwesWhatIsMissingAndSettlesItFromTheNextCredit) {
    Account account;
    account.credit(Type::accrual, 10, 0, 0, never, 0);
    account.redeem(8, 0, 0);
    Claim claim;
    claim.accrual = 1;
    claim.amount = 10;
    account.reverse(claim, 1, 1);
    EXPECT_EQ(account.owed, 8);
    account.credit(Type::accrual, 5, 2, 2, never, 2);
    EXPECT_EQ(account.owed, 3);
    EXPECT_EQ(account.total, 0);
    EXPECT_EQ(account.entries().back().source, Source::settlement);
    expect_sound(account);
}

TEST(LedgerAccount, HeldPointsOutliveTheirDate) {
    Account account;
    account.credit(Type::accrual, 10, 0, 0, 20, 0);
    const auto reserved = account.hold(4, 1);
    account.expire(20);
    EXPECT_EQ(account.total, 4);
    EXPECT_EQ(account.active(20), 0);
    account.release(reserved);
    account.expire(20);
    EXPECT_EQ(account.total, 0);
    EXPECT_EQ(account.entries().back().created_at, 20);
    expect_sound(account);
}

// Partial refunds, in whatever pieces, put back what one refund of all would.
TEST(LedgerAccount, RefundsDependOnTheirSumAlone) {
    std::mt19937 random(1);
    for (int round = 0; round < 200; round++) {
        Account account;
        Redemption redemption;
        for (int lot = 0; lot < 4; lot++) account.credit(Type::accrual, 1 + random() % 9, 0, 0, 100 + random() % 3, 0);
        const Units value = 1 + random() % account.total;
        const Entry spent = account.entries()[account.redeem(value, 1, 1)];
        redemption.seq = spent.seq;
        for (const auto& movement : spent.movements) redemption.consumption.push_back({movement.lot, -movement.value});
        while (redemption.refunded < value) {
            const Units part = 1 + random() % (value - redemption.refunded);
            account.refund(redemption, part, 2, 2);
            redemption.refunded += part;
            expect_sound(account);
        }
        for (const auto& lot : account.lots()) EXPECT_EQ(lot.remaining, lot.amount);
    }
}

TEST(LedgerAccount, StaysSoundUnderRandomOperations) {
    for (unsigned seed = 0; seed < 300; seed++) {
        std::mt19937 random(seed);
        Account account;
        std::vector<std::vector<Movement>> holds;
        Moment now = 0;
        for (int step = 0; step < 40; step++) {
            now += random() % 3;
            account.expire(now);
            const Units wanted = 1 + random() % 20;
            const Units active = account.active(now);
            switch (random() % 6) {
                case 0:
                case 1:
                    account.credit(Type::accrual, wanted, now, now + random() % 3, now + 3 + random() % 10, now);
                    break;
                case 2:
                    if (active >= wanted) account.redeem(wanted, now, now);
                    break;
                case 3:
                    if (active >= wanted) holds.push_back(account.hold(wanted, now));
                    break;
                case 4:
                    if (holds.empty()) break;
                    if (random() % 2)
                        account.commit(holds.back(), now);
                    else
                        account.release(holds.back());
                    holds.pop_back();
                    break;
                default: {
                    Claim claim;
                    claim.amount = wanted;
                    claim.debt_allowed = seed % 2;
                    account.reverse(claim, now, now);
                }
            }
            expect_sound(account);
        }
    }
}

}  // namespace

}  // namespace loyalty::ledger

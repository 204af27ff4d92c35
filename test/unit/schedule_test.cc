#include "core/program/schedule.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace loyalty {
namespace {

// A local time such as "2026-06-05 22:00"; the moment is the same number.
LocalTime at(const std::string& text) {
    int year = 0, hour = 0, minute = 0;
    unsigned month = 0, day = 0;
    std::sscanf(text.c_str(), "%d-%u-%u %d:%d", &year, &month, &day, &hour, &minute);
    const std::chrono::sys_days date{std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day)};
    const std::int64_t us = date.time_since_epoch().count() * day_us + (hour * 60 + minute) * 60 * second_us;
    return {us, us};
}

std::int64_t time_of_day(int hour, int minute = 0) { return (hour * 60 + minute) * 60 * second_us; }

struct Case {
    const char* what;
    const char* time;
    Unavailable expected;
};

void expect(const Schedule& schedule, std::initializer_list<Case> cases) {
    for (const auto& one : cases) EXPECT_EQ(schedule.judge(at(one.time)), one.expected) << one.what << " " << one.time;
}

TEST(LocalTime, HasADateAndATimeOfDay) {
    EXPECT_EQ(at("1970-01-01 00:00").day(), 0);
    EXPECT_EQ(at("2026-11-22 23:59").day(), 20779);
    const LocalTime before{-1, -1};  // a microsecond before 1970
    EXPECT_EQ(before.day(), -1);
    EXPECT_EQ(before.time_of_day_us(), day_us - 1);
    EXPECT_EQ(before.to_string(), "1969-12-31T23:59:59.999999");
    EXPECT_EQ(at("2026-03-01 00:00").to_string(), "2026-03-01T00:00:00");
    EXPECT_EQ((LocalTime{0, 61 * second_us}).to_string(), "1970-01-01T00:01:01");
    EXPECT_EQ(show_time_of_day(day_us), "24:00");
}

TEST(LocalTime, IsComparedByTheMoment) {
    // Clocks are set back: the later moment shows the earlier time.
    const LocalTime first{1'000, 9'000}, second{2'000, 8'000};
    EXPECT_LT(first, second);
    EXPECT_FALSE(first == second);
}

TEST(Schedule, WithoutRestrictionsIsAlways) { expect({}, {{"any", "2026-02-28 00:00", Unavailable::none}}); }

TEST(Schedule, MonthsDaysAndWeekdaysMustAllHold) {
    Schedule schedule;
    schedule.months.set(2).set(3);
    schedule.days_of_month.set(13).set(31);
    schedule.weekdays.set(5);
    expect(schedule, {
                         {"Friday, 13 February", "2026-02-13 12:00", Unavailable::none},
                         {"Friday, 13 March", "2026-03-13 23:59", Unavailable::none},
                         {"another month", "2026-11-13 12:00", Unavailable::month},
                         {"another day", "2026-02-20 12:00", Unavailable::day_of_month},
                         {"Tuesday, 31 March", "2026-03-31 12:00", Unavailable::weekday},
                     });
}

TEST(Schedule, AWindowHasAnInclusiveStartAndAnExclusiveEnd) {
    Schedule schedule;
    schedule.from_us = time_of_day(9);
    schedule.to_us = time_of_day(17, 30);
    expect(schedule, {
                         {"before", "2026-06-01 08:59", Unavailable::time_of_day},
                         {"start", "2026-06-01 09:00", Unavailable::none},
                         {"last minute", "2026-06-01 17:29", Unavailable::none},
                         {"end", "2026-06-01 17:30", Unavailable::time_of_day},
                     });
}

TEST(Schedule, AWindowPastMidnightBelongsToTheDayItBegan) {
    Schedule schedule;
    schedule.from_us = time_of_day(22);
    schedule.to_us = time_of_day(2);
    schedule.weekdays.set(5);
    schedule.days_of_month.set(31);
    expect(schedule, {
                         {"Friday, 31 July, at one: still Thursday", "2026-07-31 01:00", Unavailable::day_of_month},
                         {"Friday at ten", "2026-07-31 22:00", Unavailable::none},
                         {"Saturday, 1 August, at one", "2026-08-01 01:59", Unavailable::none},
                         {"Saturday at two", "2026-08-01 02:00", Unavailable::time_of_day},
                     });
    schedule.days_of_month.reset();
    expect(schedule, {{"the last day of February", "2026-02-28 01:00", Unavailable::none},
                      {"the first of March", "2026-03-01 01:00", Unavailable::weekday}});
}

TEST(Schedule, EverySoManyDays) {
    Schedule schedule;
    schedule.every = 3;
    schedule.every_unit = Period::day;
    schedule.start_day = at("2026-02-27 00:00").day();
    expect(schedule, {
                         {"before the start", "2026-02-24 12:00", Unavailable::every},
                         {"the start", "2026-02-27 00:00", Unavailable::none},
                         {"the day after", "2026-02-28 12:00", Unavailable::every},
                         {"over the end of the month", "2026-03-02 23:59", Unavailable::none},
                     });
}

TEST(Schedule, EverySoManyWeeksFromMonday) {
    Schedule schedule;
    schedule.every = 2;
    schedule.every_unit = Period::week;
    schedule.start_day = at("2026-06-07 00:00").day();  // a Sunday: its week began on 1 June
    expect(schedule, {
                         {"Monday of the first week", "2026-06-01 00:00", Unavailable::none},
                         {"Monday after", "2026-06-08 12:00", Unavailable::every},
                         {"Monday of the third", "2026-06-15 12:00", Unavailable::none},
                         {"Sunday of the third", "2026-06-21 23:59", Unavailable::none},
                         {"the week before", "2026-05-31 12:00", Unavailable::every},
                     });
    schedule.start_day = at("1969-12-28 00:00").day();  // weeks before 1970 count as well
    expect(schedule, {{"the week after", "1970-01-01 12:00", Unavailable::every},
                      {"the second", "1970-01-05 12:00", Unavailable::none}});
}

TEST(Schedule, EverySoManyMonths) {
    Schedule schedule;
    schedule.every = 3;
    schedule.every_unit = Period::month;
    schedule.start_day = at("2026-08-31 00:00").day();
    schedule.days_of_month.set(31);
    expect(schedule, {
                         {"the start", "2026-08-31 12:00", Unavailable::none},
                         {"two months later", "2026-10-31 12:00", Unavailable::every},
                         {"November has no 31st", "2026-11-30 12:00", Unavailable::day_of_month},
                         {"next year's May", "2027-05-31 12:00", Unavailable::none},
                         {"a year earlier", "2025-08-31 12:00", Unavailable::every},
                     });
}

TEST(Schedule, NothingBeforeTheDayOnWhichANightBegan) {
    Schedule schedule;
    schedule.from_us = time_of_day(22);
    schedule.to_us = time_of_day(2);
    schedule.every = 1;
    schedule.start_day = at("2026-06-02 00:00").day();
    expect(schedule, {{"the night before the first", "2026-06-02 01:00", Unavailable::every},
                      {"the first night", "2026-06-03 01:00", Unavailable::none}});
}

}  // namespace
}  // namespace loyalty

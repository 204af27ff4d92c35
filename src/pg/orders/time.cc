#include <cctype>
#include <string_view>

#include "pg/orders/time.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/days.hpp"

namespace loyalty::pg {

namespace {

// What timestamptz_in reads is wider than ISO 8601: "now" or "tomorrow" would make a result depend on the clock.
// `pattern` has d for a digit.
bool take(std::string_view& text, std::string_view pattern) {
    if (text.size() < pattern.size()) return false;
    for (std::size_t i = 0; i < pattern.size(); i++) {
        const bool fits =
            pattern[i] == 'd' ? std::isdigit(static_cast<unsigned char>(text[i])) != 0 : text[i] == pattern[i];
        if (!fits) return false;
    }
    text.remove_prefix(pattern.size());
    return true;
}

enum class Form { none, local, with_offset };

Form form_of(std::string_view text) {
    if (!take(text, "dddd-dd-ddTdd:dd") && !take(text, "dddd-dd-dd dd:dd")) return Form::none;
    if (take(text, ":dd") && take(text, ".d")) {
        while (take(text, "d")) {
        }
    }
    if (text.empty()) return Form::local;
    if (text == "Z") return Form::with_offset;
    if (!take(text, "+dd") && !take(text, "-dd")) return Form::none;
    if (!take(text, ":dd")) take(text, "dd");
    return text.empty() ? Form::with_offset : Form::none;
}

[[noreturn]] void fail(const std::string& text) {
    throw Error(sqlstate::wrong_type, "invalid order: a value has the wrong type",
                "At $.time, the value is \"" + text + "\".",
                "Expected is a date and time such as \"2026-11-21T12:00:00+03:00\".");
}

}  // namespace

TimestampTz read_order_time(const std::string& text, const std::string& time_zone) {
    const Form form = form_of(text);
    if (form == Form::none) fail(text);
    const char* value = text.c_str();
    const char* zone = time_zone.c_str();
    try {
        return postgres([=] {
            const Datum no_modifier = Int32GetDatum(-1);
            const Datum no_type = ObjectIdGetDatum(InvalidOid);
            if (form == Form::with_offset) {
                return DatumGetTimestampTz(
                    DirectFunctionCall3(timestamptz_in, CStringGetDatum(value), no_type, no_modifier));
            }
            const Datum local = DirectFunctionCall3(timestamp_in, CStringGetDatum(value), no_type, no_modifier);
            return DatumGetTimestampTz(
                DirectFunctionCall2(timestamp_zone, PointerGetDatum(cstring_to_text(zone)), local));
        });
    } catch (const ServerError& error) {
        if (ERRCODE_TO_CATEGORY(error.data->sqlerrcode) != ERRCODE_DATA_EXCEPTION) throw;
        find_zone(time_zone);
        fail(text);
    }
}

void refuse_year_of_two_digits(TimestampTz at, const std::string& text) {
    if (!has_year_of_two_digits(at)) return;
    throw Error(sqlstate::value_out_of_range, "invalid order: the time is in a year of two digits",
                "At $.time, the value is \"" + text + "\".", "Write years in full.");
}

std::int64_t unix_us(TimestampTz at) {
    if (TIMESTAMP_NOT_FINITE(at)) return at;
    return at + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

TimestampTz moment(std::int64_t unix_us) {
    constexpr std::int64_t days = POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE;
    return unix_us - days * day_us;
}

LocalTime local_time(TimestampTz at, const std::string& time_zone) {
    const char* zone = time_zone.c_str();
    const TimestampTz local = postgres([=] {
        return DatumGetTimestamp(
            DirectFunctionCall2(timestamptz_zone, PointerGetDatum(cstring_to_text(zone)), TimestampTzGetDatum(at)));
    });
    return {unix_us(at), unix_us(local)};
}

std::string show_time(TimestampTz at, const std::string& time_zone) {
    const char* zone = time_zone.c_str();
    char shown[MAXDATELEN + 1];
    char* to = shown;
    postgres([=] {
        const Datum local =
            DirectFunctionCall2(timestamptz_zone, PointerGetDatum(cstring_to_text(zone)), TimestampTzGetDatum(at));
        // The offset of a zone at a moment is what its local time differs from UTC; JsonEncodeDateTime counts it
        // westward.
        const int offset = static_cast<int>((at - DatumGetTimestamp(local)) / USECS_PER_SEC);
        JsonEncodeDateTime(to, TimestampTzGetDatum(at), TIMESTAMPTZOID, &offset);
    });
    return shown;
}

}  // namespace loyalty::pg

#include "pg/ledger/rows.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>

#include "pg/server/clock.hpp"
#include "pg/server/days.hpp"
#include "pg/server/input.hpp"

extern "C" {
#include "utils/date.h"
}

namespace loyalty::pg {

namespace {

namespace field {
enum Name : std::size_t {
    member,
    point_type,
    type,
    value,
    external_id,
    created_at,
    active_from,
    expires_at,
    expires_on,
    undoes,
    source_type,
    source,
    promotion,
    comment,
    data,
    count
};
}  // namespace field

using Field = field::Name;

constexpr std::array<std::string_view, field::count> names = {
    "member",     "point_type", "type",        "value",  "external_id", "created_at", "active_from", "expires_at",
    "expires_on", "undoes",     "source_type", "source", "promotion",   "comment",    "data"};

std::string known_keys() {
    std::string known;
    for (const auto name : names) known += (known.empty() ? "" : ", ") + std::string(name);
    return known;
}

// A row's values as the server has them; jbvNull where there is none.
struct Fields {
    JsonbValue values[field::count];
    bool is_object;
    const char* unknown;  // a key that is none of these
};

// Behind the server's door.
void read_fields(Jsonb* rows, std::size_t number, Fields* fields) {
    for (auto& field : fields->values) field.type = jbvNull;
    fields->unknown = nullptr;
    const JsonbValue* row = getIthJsonbValueFromContainer(&rows->root, static_cast<uint32>(number));
    fields->is_object = row->type == jbvBinary && JsonContainerIsObject(row->val.binary.data);
    if (!fields->is_object) return;
    JsonbIterator* iterator = JsonbIteratorInit(row->val.binary.data);
    JsonbValue found;
    for (auto token = JsonbIteratorNext(&iterator, &found, true); token != WJB_DONE;
         token = JsonbIteratorNext(&iterator, &found, true)) {
        if (token != WJB_KEY) continue;
        const std::string_view key(found.val.string.val, static_cast<std::size_t>(found.val.string.len));
        const auto* name = std::find(names.begin(), names.end(), key);
        if (name == names.end()) {
            fields->unknown = pnstrdup(key.data(), key.size());
            return;
        }
        JsonbIteratorNext(&iterator, &fields->values[name - names.begin()], true);
    }
}

// The values of a row, each as what its column takes.
class RowReader {
public:
    explicit RowReader(const Fields& fields) : fields_(fields) {}

    std::optional<std::string> text(Field field) const {
        const JsonbValue& given = fields_.values[field];
        if (given.type == jbvNull) return std::nullopt;
        if (given.type != jbvString) fail(field, "a text");
        const JsonbValue* text = &given;
        struct Characters {
            const char* data;
            std::size_t size;
        };
        const Characters utf8 = postgres([=] {
            const char* data = text->val.string.val;
            const char* converted = pg_server_to_any(data, text->val.string.len, PG_UTF8);
            return Characters{converted,
                              converted == data ? static_cast<std::size_t>(text->val.string.len) : strlen(converted)};
        });
        return std::string(utf8.data, utf8.size);
    }

    std::string required(Field field, const char* noun) const {
        auto given = text(field);
        if (!given) throw Error(sqlstate::missing_field, std::string("a transaction needs a ") + noun);
        return *std::move(given);
    }

    std::optional<Datum> number(Field field) const {
        const JsonbValue& given = fields_.values[field];
        if (given.type == jbvNull) return std::nullopt;
        if (given.type != jbvNumeric) fail(field, "a number");
        return NumericGetDatum(given.val.numeric);
    }

    std::optional<std::int64_t> whole_number(Field field) const {
        const auto given = number(field);
        if (!given) return std::nullopt;
        const Datum numeric = *given;
        const std::string text = postgres([=] { return DatumGetCString(DirectFunctionCall1(numeric_out, numeric)); });
        const Argument whole = cast_text(text, INT8OID);
        if (whole.is_null) fail(field, "a whole number");
        return DatumGetInt64(whole.value);
    }

    std::optional<Datum> object(Field field) const {
        const JsonbValue& given = fields_.values[field];
        if (given.type == jbvNull) return std::nullopt;
        if (given.type != jbvBinary || !JsonContainerIsObject(given.val.binary.data)) fail(field, "an object");
        const JsonbValue* object = &given;
        return postgres([=] { return JsonbPGetDatum(JsonbValueToJsonb(const_cast<JsonbValue*>(object))); });
    }

    std::optional<TimestampTz> moment(Field field) const {
        const auto given = moment_text(field, true);
        if (!given) return std::nullopt;
        return DatumGetTimestampTz(cast(field, *given, TIMESTAMPTZOID));
    }

    std::optional<Datum> day(Field field) const {
        const auto given = moment_text(field, false);
        return given ? std::optional(cast(field, *given, DATEOID)) : std::nullopt;
    }

private:
    [[noreturn]] static void fail(Field field, const char* expected) {
        throw Error(sqlstate::wrong_type, "\"" + std::string(names[field]) + "\" has the wrong type", {},
                    std::string("Expected is ") + expected + ".");
    }

    // The server reads more as moments, such as "tomorrow"; the same request has to mean the same whenever it comes.
    std::optional<std::string> moment_text(Field field, bool with_infinity) const {
        auto given = text(field);
        if (!given || (!given->empty() && std::isdigit(static_cast<unsigned char>(given->front())))) return given;
        if (with_infinity && (*given == "infinity" || *given == "-infinity")) return given;
        fail_date(field, *given);
    }

    static Datum cast(Field field, const std::string& text, Oid type) {
        const Argument found = cast_text(text, type);
        if (found.is_null) fail_date(field, text);
        return found.value;
    }

    [[noreturn]] static void fail_date(Field field, const std::string& text) {
        throw Error(sqlstate::wrong_dates, "\"" + std::string(names[field]) + "\" cannot be read",
                    "It is \"" + text + "\".",
                    field == field::expires_on ? "Give a date such as \"2026-12-31\"."
                                               : "Give a moment such as \"2026-12-31T12:00:00+01:00\".");
    }

    const Fields& fields_;
};

// Where a text names no zone it is read in the program's.
class InZone {
public:
    explicit InZone(const std::string& name) : before_(session_timezone) { session_timezone = find_zone(name); }
    ~InZone() { session_timezone = before_; }
    InZone(const InZone&) = delete;
    InZone& operator=(const InZone&) = delete;

private:
    pg_tz* const before_;
};

}  // namespace

GivenRows::GivenRows(Datum rows) : rows_(postgres([=] { return DatumGetJsonbP(rows); })) {
    if (!JB_ROOT_IS_ARRAY(rows_) || JB_ROOT_IS_SCALAR(rows_))
        throw Error(sqlstate::wrong_type, "the rows are no array", {}, "Give a JSON array of objects.");
    size_ = JB_ROOT_COUNT(rows_);
    members_.resize(size_);
    Key* keys = members_.data();
    Jsonb* array = rows_;
    const std::size_t count = size_;
    postgres([=] {
        JsonbValue found;
        for (std::size_t row = 0; row < count; row++) {
            keys[row] = {"", 0};
            JsonbValue* given = getIthJsonbValueFromContainer(&array->root, static_cast<uint32>(row));
            if (given->type == jbvBinary && JsonContainerIsObject(given->val.binary.data) &&
                getKeyJsonValueFromContainer(given->val.binary.data, "member", 6, &found) && found.type == jbvString)
                keys[row] = {found.val.string.val, static_cast<std::size_t>(found.val.string.len)};
            pfree(given);
        }
    });
}

std::string_view GivenRows::member(std::size_t row) const { return {members_[row].text, members_[row].size}; }

std::vector<std::size_t> GivenRows::in_order_of_members() const {
    std::vector<std::size_t> order(size_);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [this](std::size_t one, std::size_t other) { return member(one) < member(other); });
    return order;
}

// Most rows of a call name the same day.
TimestampTz GivenRows::end_of(Datum day, const std::string& program, const std::optional<TimestampTz>& also_given) {
    if (!last_day_ || also_given || last_day_->day != DatumGetDateADT(day))
        last_day_ = {DatumGetDateADT(day), *read_expiry(program, also_given, day)};
    return last_day_->end;
}

Posting GivenRows::posting(std::size_t row, const std::string& program, const std::string& time_zone) {
    Fields fields;
    Fields* found = &fields;
    Jsonb* rows = rows_;
    postgres([=] { read_fields(rows, row, found); });
    if (!fields.is_object)
        throw Error(sqlstate::wrong_type, "the row is no object", {}, "Known keys: " + known_keys() + ".");
    if (fields.unknown) {
        throw Error(sqlstate::unknown_key, "unknown key \"" + std::string(fields.unknown) + "\"", {},
                    "Known keys: " + known_keys() + ".");
    }
    const RowReader given(fields);
    const InZone zone(time_zone);
    Posting posting;
    posting.key = {given.required(field::member, "member"), program, given.required(field::point_type, "point type")};
    posting.type = given.required(field::type, "type");
    posting.value = given.number(field::value);
    posting.external_id = given.text(field::external_id);
    posting.created_at = given.moment(field::created_at);
    posting.active_from = given.moment(field::active_from);
    posting.expires_at = given.moment(field::expires_at);
    if (const auto day = given.day(field::expires_on)) posting.expires_at = end_of(*day, program, posting.expires_at);
    posting.undoes = given.whole_number(field::undoes);
    posting.source_type = given.text(field::source_type);
    posting.source = given.text(field::source);
    posting.promotion = given.text(field::promotion);
    posting.comment = given.text(field::comment);
    posting.data = given.object(field::data);
    return posting;
}

}  // namespace loyalty::pg

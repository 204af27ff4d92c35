#include <exception>

#include "pg/server/box.hpp"
#include "pg/server/keyed_plan.hpp"
#include "pg/server/proven_keys.hpp"
#include "pg/server/spi.hpp"

namespace loyalty::pg {

namespace {

// The C++ side is UTF-8; both conversions return their argument where the database is, too.
Datum server_text(const char* utf8, std::size_t size) {
    const char* text = pg_any_to_server(utf8, static_cast<int>(size), PG_UTF8);
    return PointerGetDatum(cstring_to_text_with_len(text, static_cast<int>(text == utf8 ? size : strlen(text))));
}

struct Characters {
    const char* data;
    std::size_t size;
};

Characters utf8_characters(Datum datum) {
    const varlena* text = PG_DETOAST_DATUM_PACKED(datum);
    const char* data = VARDATA_ANY(text);
    const std::size_t size = VARSIZE_ANY_EXHDR(text);
    const char* utf8 = pg_server_to_any(data, static_cast<int>(size), PG_UTF8);
    return {utf8, utf8 == data ? size : strlen(utf8)};
}

}  // namespace

Spi::Spi() : exceptions_(std::uncaught_exceptions()) {
    postgres([] {
        if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
    });
}

Spi::~Spi() {
    // On the way out of an error the transaction's abort releases everything.
    if (std::uncaught_exceptions() == exceptions_) SPI_finish();
}

Argument text_argument(std::string_view text) {
    const char* data = text.data();
    const std::size_t size = text.size();
    return {postgres([=] { return server_text(data, size); }), false};
}

Argument texts_argument(std::span<const std::string> texts) {
    const std::string* first = texts.data();
    const int count = static_cast<int>(texts.size());
    return {postgres([=] {
                auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * static_cast<std::size_t>(count) + 1));
                for (int i = 0; i < count; i++) values[i] = server_text(first[i].data(), first[i].size());
                return PointerGetDatum(construct_array(values, count, TEXTOID, -1, false, TYPALIGN_INT));
            }),
            false};
}

Argument integers_argument(std::span<const std::int32_t> integers) {
    const std::int32_t* first = integers.data();
    const int count = static_cast<int>(integers.size());
    return {postgres([=] {
                auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * static_cast<std::size_t>(count) + 1));
                for (int i = 0; i < count; i++) values[i] = Int32GetDatum(first[i]);
                return PointerGetDatum(construct_array(values, count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
            }),
            false};
}

std::string text_of(Datum datum) {
    const Characters characters = postgres([=] { return utf8_characters(datum); });
    return {characters.data, characters.size};
}

std::vector<std::string> texts_of(Datum array) {
    struct Elements {
        Characters* values;
        int count;
    };
    const Elements elements = postgres([=] {
        Datum* values;
        bool* nulls;
        int count;
        ArrayType* given = DatumGetArrayTypeP(array);
        // Of text, or of a domain over it: the server insists on the array's own.
        deconstruct_array(given, ARR_ELEMTYPE(given), -1, false, TYPALIGN_INT, &values, &nulls, &count);
        auto* characters = static_cast<Characters*>(palloc(sizeof(Characters) * static_cast<std::size_t>(count) + 1));
        for (int i = 0; i < count; i++) characters[i] = nulls[i] ? Characters{"", 0} : utf8_characters(values[i]);
        return Elements{characters, count};
    });
    std::vector<std::string> texts;
    texts.reserve(static_cast<std::size_t>(elements.count));
    for (int i = 0; i < elements.count; i++) texts.emplace_back(elements.values[i].data, elements.values[i].size);
    return texts;
}

namespace {

// What a domain is made of; of another type itself. The last answer is kept, for most columns are of the same domain.
Oid base_type(Oid type) {
    static Oid last = InvalidOid, base = InvalidOid;
    if (type == last) return base;
    base = postgres([=] { return getBaseType(type); });
    last = type;
    return base;
}

bool is_text_type(Oid type) { return type == TEXTOID || type == VARCHAROID || type == BPCHAROID || type == JSONOID; }

std::string type_name(Oid type) {
    return postgres([=] { return format_type_be(type); });
}

// Enough of a query to find it by.
std::string beginning(const char* query) {
    constexpr std::size_t shown = 160;
    const std::string_view text(query);
    return std::string(text.substr(0, shown)) + (text.size() > shown ? " ..." : "");
}

}  // namespace

void Rows::fail(std::uint64_t row, int column, const std::string& what) const {
    const SPITupleTable* table = table_;
    const bool has_column = table && column >= 1 && column <= table->tupdesc->natts;
    const std::string name = has_column ? NameStr(TupleDescAttr(table->tupdesc, column - 1)->attname) : "";
    throw Error(sqlstate::data_corrupted,
                has_column ? "column \"" + name + "\" of a result " + what : "a result of a query " + what,
                "Column " + std::to_string(column) + ", row " + std::to_string(row + 1) + " of " +
                    std::to_string(count_) + " of: " + beginning(query_),
                "A table of schema loyalty was altered or damaged: compare it with that of a fresh installation.");
}

Rows::Value Rows::value(std::uint64_t row, int column) const {
    if (row >= count_ || table_ == nullptr) fail(row, column, "has too few rows");
    if (column < 1 || column > table_->tupdesc->natts) fail(row, column, "has too few columns");
    Value value;
    value.datum = SPI_getbinval(table_->vals[row], table_->tupdesc, column, &value.is_null);
    return value;
}

void Rows::check_type(int column, Oid type) const {
    const Oid given = TupleDescAttr(table_->tupdesc, column - 1)->atttypid;
    if (given == type || base_type(given) == type) return;
    fail(0, column, "is of type " + type_name(given) + ", not " + type_name(type));
}

bool Rows::is_null(std::uint64_t row, int column) const { return value(row, column).is_null; }

Datum Rows::datum(std::uint64_t row, int column, Oid type) const {
    const Value found = value(row, column);
    check_type(column, type);
    if (found.is_null) fail(row, column, "is null");
    return found.datum;
}

std::optional<Datum> Rows::optional_datum(std::uint64_t row, int column, Oid type) const {
    if (is_null(row, column)) return std::nullopt;
    return datum(row, column, type);
}

bool Rows::boolean(std::uint64_t row, int column) const {
    const auto found = optional_datum(row, column, BOOLOID);
    return found && DatumGetBool(*found);
}

std::int32_t Rows::integer(std::uint64_t row, int column) const { return DatumGetInt32(datum(row, column, INT4OID)); }

Oid Rows::oid(std::uint64_t row, int column) const { return DatumGetObjectId(datum(row, column, OIDOID)); }

std::string Rows::text(std::uint64_t row, int column) const {
    auto found = optional_text(row, column);
    if (!found) fail(row, column, "is null");
    return *std::move(found);
}

Oid Rows::type(int column) const { return table_ ? SPI_gettypeid(table_->tupdesc, column) : InvalidOid; }

void Rows::require_columns(int count) const {
    if (table_ && table_->tupdesc->natts == count) return;
    fail(0, count, "has another number of columns than are read");
}

std::string Rows::shown(std::uint64_t row, int column) const {
    value(row, column);
    const SPITupleTable* table = table_;
    const char* text = postgres([=] {
        const char* value = SPI_getvalue(table->vals[row], table->tupdesc, column);
        return value ? pg_server_to_any(value, static_cast<int>(strlen(value)), PG_UTF8) : "";
    });
    return text;
}

std::optional<std::string> Rows::optional_text(std::uint64_t row, int column) const {
    const Value found = value(row, column);
    const Oid given = type(column);
    if (!is_text_type(given) && !is_text_type(base_type(given)))
        fail(row, column, "is of type " + type_name(given) + ", not text");
    if (found.is_null) return std::nullopt;
    return text_of(found.datum);
}

std::vector<std::string> Rows::texts(std::uint64_t row, int column) const {
    const Value found = value(row, column);
    const Oid given = type(column);
    const Oid element =
        given == TEXTARRAYOID ? TEXTOID : postgres([=] { return getBaseType(get_element_type(given)); });
    if (!is_text_type(element)) fail(row, column, "is of type " + type_name(given) + ", not text[]");
    if (found.is_null) return {};
    return texts_of(found.datum);
}

const ArrayType* Rows::plain_array(std::uint64_t row, int column, Oid array_type) const {
    const auto found = optional_datum(row, column, array_type);
    if (!found) return nullptr;
    const ArrayType* array = postgres([&datum = *found] { return DatumGetArrayTypeP(datum); });
    if (ARR_HASNULL(array)) fail(row, column, "has an element that is null");
    return array;
}

std::vector<std::int32_t> Rows::integers(std::uint64_t row, int column) const {
    const ArrayType* array = plain_array(row, column, INT4ARRAYOID);
    if (!array) return {};
    const int count = postgres([=] { return ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)); });
    const auto* first = reinterpret_cast<const std::int32_t*>(ARR_DATA_PTR(array));
    return {first, first + count};
}

void Rows::check_count(std::uint64_t row, int column, std::size_t found, std::size_t count) const {
    if (found != count)
        fail(row, column, "has " + std::to_string(found) + " elements, not " + std::to_string(count));
}

std::vector<std::string> Rows::texts(std::uint64_t row, int column, std::size_t count) const {
    auto found = texts(row, column);
    check_count(row, column, found.size(), count);
    return found;
}

std::vector<std::int32_t> Rows::integers(std::uint64_t row, int column, std::size_t count) const {
    auto found = integers(row, column);
    check_count(row, column, found.size(), count);
    return found;
}

Rows Query::run(std::initializer_list<Argument> arguments, bool writes) {
    const char* text = text_.c_str();
    Oid* types = types_.data();
    const int count = static_cast<int>(types_.size());
    SPIPlanPtr* plan = &plan_;
    const Argument* given = arguments.begin();
    const Plan kind = kind_;
    const std::uint64_t rows = postgres([=] {
        if (Box::innermost()) pin_settings();
        if (*plan == nullptr) {
            SPIPlanPtr made = SPI_prepare_cursor(text, count, types, CURSOR_OPT_GENERIC_PLAN);
            if (made == nullptr || SPI_keepplan(made) != 0)
                elog(ERROR, "could not prepare a query: %s", SPI_result_code_string(SPI_result));
            *plan = made;
        }
        if (kind != Plan::free) plan_by_keys(*plan, kind == Plan::of_others);
        Datum values[max_arguments];
        char nulls[max_arguments];
        for (int i = 0; i < count; i++) {
            values[i] = given[i].value;
            nulls[i] = given[i].is_null ? 'n' : ' ';
        }
        const int code = SPI_execute_plan(*plan, values, nulls, !writes, 0);
        if (code < 0) elog(ERROR, "could not run a query: %s", SPI_result_code_string(code));
        return SPI_processed;
    });
    return Rows(SPI_tuptable, rows, text);
}

Rows Query::run_proven(std::initializer_list<Argument> arguments) {
    const ProvenKeys proven(text_.c_str(), proven_);
    return run(arguments, true);
}

Rows Query::run_for(std::size_t count, std::initializer_list<Argument> arguments, bool writes) {
    constexpr std::size_t many = 50;
    return count < many ? run(arguments, writes) : run_once(arguments, writes);
}

void Query::forget() {
    if (SPIPlanPtr plan = plan_) postgres([=] { SPI_freeplan(plan); });
    plan_ = nullptr;
}

Rows Query::run_once(std::initializer_list<Argument> arguments, bool writes) {
    const char* text = text_.c_str();
    Oid* types = types_.data();
    const int count = static_cast<int>(types_.size());
    const Argument* given = arguments.begin();
    const std::uint64_t rows = postgres([=] {
        if (Box::innermost()) pin_settings();
        Datum values[max_arguments];
        char nulls[max_arguments];
        for (int i = 0; i < count; i++) {
            values[i] = given[i].value;
            nulls[i] = given[i].is_null ? 'n' : ' ';
        }
        const int code = SPI_execute_with_args(text, count, types, values, nulls, !writes, 0);
        if (code < 0) elog(ERROR, "could not run a query: %s", SPI_result_code_string(code));
        return SPI_processed;
    });
    return Rows(SPI_tuptable, rows, text);
}

LatestSnapshot::LatestSnapshot() : exceptions_(std::uncaught_exceptions()) {
    postgres([] { PushActiveSnapshot(GetLatestSnapshot()); });
}

LatestSnapshot::~LatestSnapshot() {
    if (std::uncaught_exceptions() == exceptions_) PopActiveSnapshot();
}

}  // namespace loyalty::pg

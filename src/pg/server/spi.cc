#include <exception>

#include "pg/server/box.hpp"
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
        deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
        auto* characters = static_cast<Characters*>(palloc(sizeof(Characters) * static_cast<std::size_t>(count) + 1));
        for (int i = 0; i < count; i++) characters[i] = nulls[i] ? Characters{"", 0} : utf8_characters(values[i]);
        return Elements{characters, count};
    });
    std::vector<std::string> texts;
    texts.reserve(static_cast<std::size_t>(elements.count));
    for (int i = 0; i < elements.count; i++) texts.emplace_back(elements.values[i].data, elements.values[i].size);
    return texts;
}

Datum Rows::datum(std::uint64_t row, int column) const {
    bool is_null;
    return SPI_getbinval(table_->vals[row], table_->tupdesc, column, &is_null);
}

bool Rows::is_null(std::uint64_t row, int column) const {
    bool is_null;
    SPI_getbinval(table_->vals[row], table_->tupdesc, column, &is_null);
    return is_null;
}

bool Rows::boolean(std::uint64_t row, int column) const {
    return !is_null(row, column) && DatumGetBool(datum(row, column));
}

std::int32_t Rows::integer(std::uint64_t row, int column) const { return DatumGetInt32(datum(row, column)); }

Oid Rows::oid(std::uint64_t row, int column) const { return DatumGetObjectId(datum(row, column)); }

std::string Rows::text(std::uint64_t row, int column) const { return text_of(datum(row, column)); }

Oid Rows::type(int column) const { return SPI_gettypeid(table_->tupdesc, column); }

std::string Rows::shown(std::uint64_t row, int column) const {
    const SPITupleTable* table = table_;
    const char* text = postgres([=] {
        const char* value = SPI_getvalue(table->vals[row], table->tupdesc, column);
        return value ? pg_server_to_any(value, static_cast<int>(strlen(value)), PG_UTF8) : "";
    });
    return text;
}

std::optional<std::string> Rows::optional_text(std::uint64_t row, int column) const {
    if (is_null(row, column)) return std::nullopt;
    return text(row, column);
}

std::vector<std::string> Rows::texts(std::uint64_t row, int column) const {
    if (is_null(row, column)) return {};
    return texts_of(datum(row, column));
}

std::vector<std::int32_t> Rows::integers(std::uint64_t row, int column) const {
    if (is_null(row, column)) return {};
    const Datum value = datum(row, column);
    // An array of integers without nulls is a plain C array.
    const ArrayType* array = postgres([=] { return DatumGetArrayTypeP(value); });
    const int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
    const auto* first = reinterpret_cast<const std::int32_t*>(ARR_DATA_PTR(array));
    return {first, first + count};
}

Rows Query::run(std::initializer_list<Argument> arguments, bool writes) {
    const char* text = text_.c_str();
    Oid* types = types_.data();
    const int count = static_cast<int>(types_.size());
    SPIPlanPtr* plan = &plan_;
    const Argument* given = arguments.begin();
    const std::uint64_t rows = postgres([=] {
        if (Box::innermost()) pin_settings();
        if (*plan == nullptr) {
            SPIPlanPtr made = SPI_prepare_cursor(text, count, types, CURSOR_OPT_GENERIC_PLAN);
            if (made == nullptr || SPI_keepplan(made) != 0)
                elog(ERROR, "could not prepare a query: %s", SPI_result_code_string(SPI_result));
            *plan = made;
        }
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
    return Rows(SPI_tuptable, rows);
}

Rows Query::run_for(std::size_t count, std::initializer_list<Argument> arguments, bool writes) {
    constexpr std::size_t many = 50;
    return count < many ? run(arguments, writes) : run_once(arguments, writes);
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
    return Rows(SPI_tuptable, rows);
}

LatestSnapshot::LatestSnapshot() : exceptions_(std::uncaught_exceptions()) {
    postgres([] { PushActiveSnapshot(GetLatestSnapshot()); });
}

LatestSnapshot::~LatestSnapshot() {
    if (std::uncaught_exceptions() == exceptions_) PopActiveSnapshot();
}

}  // namespace loyalty::pg

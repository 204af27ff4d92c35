#include "pg/events/user_trigger.hpp"

#include "pg/server/trigger.hpp"
#include "pg/server/values.hpp"

namespace loyalty::pg {

FiredRow::FiredRow(FunctionCallInfo call, std::string function) : function_(std::move(function)) {
    if (!CALLED_AS_TRIGGER(call)) fail_misused(function_, "It was not called by a trigger.");
    data_ = reinterpret_cast<TriggerData*>(call->context);
    const auto event = data_->tg_event;
    if (!TRIGGER_FIRED_AFTER(event) || !TRIGGER_FIRED_FOR_ROW(event) ||
        !(TRIGGER_FIRED_BY_INSERT(event) || TRIGGER_FIRED_BY_UPDATE(event))) {
        fail_misused(function_, "It is for AFTER INSERT OR UPDATE ... FOR EACH ROW.");
    }
    require_right_to_fire(call);
}

std::string FiredRow::argument(int number) const {
    const char* given = data_->tg_trigger->tgargs[number];
    return postgres([=] { return pg_server_to_any(given, static_cast<int>(strlen(given)), PG_UTF8); });
}

std::optional<std::string> FiredRow::value(const std::string& column) const {
    const char* name = column.c_str();
    const TupleDesc description = RelationGetDescr(data_->tg_relation);
    const int number = postgres(
        [=] { return SPI_fnumber(description, pg_any_to_server(name, static_cast<int>(strlen(name)), PG_UTF8)); });
    if (number <= 0) fail_misused(function_, "Table " + relation() + " has no column \"" + column + "\".");
    return value(number);
}

std::optional<std::string> FiredRow::value(int number) const {
    const TupleDesc description = RelationGetDescr(data_->tg_relation);
    const HeapTuple tuple = TRIGGER_FIRED_BY_UPDATE(data_->tg_event) ? data_->tg_newtuple : data_->tg_trigtuple;
    const char* text = postgres([=] {
        const char* shown = SPI_getvalue(tuple, description, number);
        return shown ? pg_server_to_any(shown, static_cast<int>(strlen(shown)), PG_UTF8) : nullptr;
    });
    return text ? std::optional<std::string>(text) : std::nullopt;
}

std::string FiredRow::relation() const {
    const Relation relation = data_->tg_relation;
    return postgres([=] {
        const char* name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
                                                      RelationGetRelationName(relation));
        return pg_server_to_any(name, static_cast<int>(strlen(name)), PG_UTF8);
    });
}

std::string FiredRow::key() const {
    const Relation relation = data_->tg_relation;
    Bitmapset* const columns =
        postgres([=] { return RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_PRIMARY_KEY); });
    if (!columns) fail_misused(function_, "Table " + this->relation() + " has no primary key.");
    std::string key;
    for (int member = -1; (member = bms_next_member(columns, member)) >= 0;) {
        if (!key.empty()) key += ",";
        for (const char character : value(member + FirstLowInvalidHeapAttributeNumber).value_or("")) {
            if (character == ',' || character == '\\') key += '\\';
            key += character;
        }
    }
    return key;
}

Datum FiredRow::result() const {
    return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(data_->tg_event) ? data_->tg_newtuple : data_->tg_trigtuple);
}

void require_refusal(const Trouble& trouble) {
    const std::string& code = trouble.sqlstate;
    if (code.starts_with("LY") && !code.starts_with("LY0") && code != sqlstate::wrong_trigger) return;
    throw Error(code, trouble.message, trouble.detail);
}

void tell_skipped(const std::string& program, const char* type, const std::optional<std::string>& profile,
                  const std::string& promotion, const FiredRow& row, const std::string& key, const Trouble& skipped) {
    static Query query(
        "INSERT INTO loyalty.events (program, type, profile, data)"
        " VALUES ($1, $2, $3, jsonb_strip_nulls(jsonb_build_object('promotion', nullif($4, ''), 'table', $5, 'row',"
        "     nullif($6, ''),"
        "         'code', $7, 'message', $8, 'detail', nullif($9, ''))))",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID});
    query.run({text_argument(program), text_argument(type), optional_text_argument(profile), text_argument(promotion),
               text_argument(row.relation()), text_argument(key), text_argument(skipped.sqlstate),
               text_argument(skipped.message), text_argument(skipped.detail)},
              true);
}

}  // namespace loyalty::pg

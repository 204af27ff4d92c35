// Triggers for the user's own tables: firing a trigger promotion, enrolling. The user's statement never fails because there
// was nothing to book: that is told by an event.
#include <cctype>

#include "pg/members/members.hpp"
#include "pg/promotions/trigger_rules.hpp"
#include "pg/server/attempt.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/input.hpp"
#include "pg/server/owner.hpp"
#include "pg/server/trigger.hpp"

namespace loyalty::pg {

namespace {

// The row that a trigger was called for.
class FiredRow {
public:
    FiredRow(FunctionCallInfo call, std::string function) : function_(std::move(function)) {
        if (!CALLED_AS_TRIGGER(call)) fail_misused(function_, "It was not called by a trigger.");
        data_ = reinterpret_cast<TriggerData*>(call->context);
        const auto event = data_->tg_event;
        if (!TRIGGER_FIRED_AFTER(event) || !TRIGGER_FIRED_FOR_ROW(event) ||
            !(TRIGGER_FIRED_BY_INSERT(event) || TRIGGER_FIRED_BY_UPDATE(event))) {
            fail_misused(function_, "It is for AFTER INSERT OR UPDATE ... FOR EACH ROW.");
        }
        require_right_to_fire(call);
    }

    int arguments() const { return data_->tg_trigger->tgnargs; }
    std::string argument(int number) const {
        const char* given = data_->tg_trigger->tgargs[number];
        return postgres([=] { return pg_server_to_any(given, static_cast<int>(strlen(given)), PG_UTF8); });
    }

    // As the server writes it; nothing where it is null.
    std::optional<std::string> value(const std::string& column) const {
        const char* name = column.c_str();
        const TupleDesc description = RelationGetDescr(data_->tg_relation);
        const int number = postgres(
            [=] { return SPI_fnumber(description, pg_any_to_server(name, static_cast<int>(strlen(name)), PG_UTF8)); });
        if (number <= 0) fail_misused(function_, "Table " + relation() + " has no column \"" + column + "\".");
        return value(number);
    }

    std::string relation() const {
        const Relation relation = data_->tg_relation;
        return postgres([=] {
            const char* name = quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
                                                          RelationGetRelationName(relation));
            return pg_server_to_any(name, static_cast<int>(strlen(name)), PG_UTF8);
        });
    }

    // The values of its primary key, separated by commas; those within a value are escaped.
    std::string key() const {
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

    Datum result() const {
        return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(data_->tg_event) ? data_->tg_newtuple : data_->tg_trigtuple);
    }

private:
    std::optional<std::string> value(int number) const {
        const TupleDesc description = RelationGetDescr(data_->tg_relation);
        const HeapTuple tuple = TRIGGER_FIRED_BY_UPDATE(data_->tg_event) ? data_->tg_newtuple : data_->tg_trigtuple;
        const char* text = postgres([=] {
            const char* shown = SPI_getvalue(tuple, description, number);
            return shown ? pg_server_to_any(shown, static_cast<int>(strlen(shown)), PG_UTF8) : nullptr;
        });
        return text ? std::optional<std::string>(text) : std::nullopt;
    }

    std::string function_;
    TriggerData* data_;
};

// Tries a body. What the domain refuses is returned; any other error, and one in the use of the trigger, passes on.
template <class Body>
std::optional<Trouble> refused(const Body& body) {
    const auto trouble = attempt(body);
    if (!trouble) return std::nullopt;
    const std::string& code = trouble->sqlstate;
    if (code.starts_with("LY") && !code.starts_with("LY0") && code != sqlstate::wrong_trigger) return trouble;
    throw Error(code, trouble->message, trouble->detail);
}

void tell_skipped(const std::string& program, const char* type, const std::optional<std::string>& profile,
                  const std::string& promotion, const FiredRow& row, const std::string& key, const Trouble& skipped) {
    static Query query(
        "INSERT INTO loyalty.events (program, type, profile, data)"
        " VALUES ($1, $2, $3, jsonb_strip_nulls(jsonb_build_object('promotion', nullif($4, ''), 'table', $5, 'row', nullif($6, ''),"
        "         'code', $7, 'message', $8, 'detail', nullif($9, ''))))",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID});
    query.run({text_argument(program), text_argument(type), optional_text_argument(profile), text_argument(promotion),
               text_argument(row.relation()), text_argument(key), text_argument(skipped.sqlstate),
               text_argument(skipped.message), text_argument(skipped.detail)},
              true);
}

// ---------------------------------------------------------------------------------------------------------------------
// Firing

// Whether the row has not fired the promotion yet.
bool mark_fired(const std::string& relation, const std::string& key, const std::string& program,
                const std::string& promotion) {
    static Query query(
        "INSERT INTO loyalty.fired_rows (relation, row_key, program, promotion) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING true",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID});
    return query
               .run({text_argument(relation), text_argument(key), text_argument(program), text_argument(promotion)},
                    true)
               .size() > 0;
}

std::string hash_of(const std::string& text) {
    static Query query("SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')", {TEXTOID});
    return query.run({text_argument(text)}, true).text(0, 1);
}

// The key, or its hash where an index would have no room for it.
std::string short_key(const std::string& key) { return key.size() <= 1000 ? key : hash_of(key); }

// Promotion, table and key, as far as they make an external id: there is room for them, and no blank at their end.
std::string firing_id(const std::string& promotion, const std::string& relation, const std::string& key) {
    const std::string id = promotion + ":" + relation + ":" + key;
    return id.size() <= 255 && !isspace(static_cast<unsigned char>(id.back())) ? id : hash_of(id);
}

void fire_row(const FiredRow& row) {
    const std::string promotion = row.argument(0), relation = row.relation(), key = row.key();
    const auto member = row.value(row.argument(1));
    const auto amount = row.arguments() == 3 ? row.value(row.argument(2)) : std::nullopt;
    const std::string program = program_of(promotion, std::nullopt);
    const auto skipped = refused([&] {
        if (!mark_fired(relation, short_key(key), program, promotion)) return;
        if (!member) throw Error(sqlstate::not_a_member, "the row names no member");
        if (row.arguments() == 3 && !amount) throw Error(sqlstate::amount_outside_rule, "the row names no amount");
        Firing firing;
        firing.promotion = promotion;
        firing.member = *member;
        firing.external_id = firing_id(promotion, relation, key);
        firing.source_type = "table";
        firing.source = relation + ":" + key;
        if (amount) {
            const Argument number = cast_text(*amount, NUMERICOID);
            if (number.is_null) throw Error(sqlstate::amount_outside_rule, "the amount is not a number");
            firing.amount = number.value;
        }
        fire(firing, program, CurrentMemoryContext);
    });
    if (skipped) tell_skipped(program, "promotion_not_fired", member, promotion, row, key, *skipped);
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_fire_trigger);
Datum loyalty_fire_trigger(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const FiredRow row(fcinfo, "loyalty_fire_trigger");
        if (row.arguments() != 2 && row.arguments() != 3)
            fail_misused("loyalty_fire_trigger",
                         "Its arguments are a promotion, a column, and perhaps another column.");
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        fire_row(row);
        return row.result();
    });
}

PG_FUNCTION_INFO_V1(loyalty_enrol_trigger);
Datum loyalty_enrol_trigger(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const FiredRow row(fcinfo, "loyalty_enrol_trigger");
        if (row.arguments() != 2) fail_misused("loyalty_enrol_trigger", "Its arguments are a program and a column.");
        const std::string program = row.argument(0);
        const auto member = row.value(row.argument(1));
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        const ProfileDatabase profiles = load_profile_database(program);
        const auto skipped = refused([&] {
            require_active(profiles);
            if (!member) throw loyalty::Error(loyalty::sqlstate::unknown_profile, "the row names no profile");
            const FreshSnapshot snapshot;
            enrol_one(profiles, *member, std::nullopt, current_caller());
        });
        if (skipped) tell_skipped(program, "member_not_enrolled", member, "", row, "", *skipped);
        return row.result();
    });
}
}

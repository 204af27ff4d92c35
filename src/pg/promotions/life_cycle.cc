// Verbs of promotions and their groups: states, places in the tree, clones, and the way back to the version in force.
// Each is one or a few statements on the tables, whose triggers check it as they check anybody's.
#include "pg/promotions/draft.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"
#include "pg/server/schema_version.hpp"

namespace loyalty::pg {

namespace {

// A promotion or a group.
struct Node {
    bool is_group = false;
    std::string program, id;

    Argument program_argument() const { return text_argument(program); }
    Argument id_argument() const { return text_argument(id); }
};

[[noreturn]] void fail_unknown(const Node& node) {
    throw Error(sqlstate::unknown_node,
                std::string(node.is_group ? "promotion group" : "promotion") + " \"" + node.id + "\" of program \"" +
                    node.program + "\" does not exist",
                {}, node.is_group ? "Name one of loyalty.promotion_groups." : "Name one of loyalty.promotions.");
}

void require(const Node& node) {
    static Query group("SELECT FROM loyalty.promotion_groups WHERE program = $1 AND external_id = $2",
                       {TEXTOID, TEXTOID});
    static Query promotion("SELECT FROM loyalty.promotions WHERE program = $1 AND external_id = $2",
                           {TEXTOID, TEXTOID});
    Query& query = node.is_group ? group : promotion;
    if (query.run({node.program_argument(), node.id_argument()}, true).size() == 0) fail_unknown(node);
}

// Runs `edit` of an existing node as the schema's owner and only editor of the program's draft.
template <class Edit>
Datum edit_node(const Arguments& given, bool is_group, Edit edit) {
    const Node node{is_group, given.required(0, "program"),
                    given.required(1, is_group ? "promotion_group" : "promotion")};
    const AsOwner owner = AsOwner::writing();
    const Spi connection;
    check_schema_version();
    lock_draft(node.program);
    require(node);
    return edit(node);
}

Datum set_state(FunctionCallInfo call, const char* state) {
    return edit_node(Arguments(call), false, [&](const Node& node) {
        static Query query(
            "UPDATE loyalty.promotions SET state = $3 WHERE program = $1 AND external_id = $2 AND state <> $3",
            {TEXTOID, TEXTOID, TEXTOID});
        query.run({node.program_argument(), node.id_argument(), text_argument(state)}, true);
        return Datum{0};
    });
}

// Marks beside the versions concern what may be in force: a draft has not begun, and what has ended is over.
void require_begun(const Node& node, const char* verb) {
    static Query query("SELECT state FROM loyalty.promotions WHERE program = $1 AND external_id = $2",
                       {TEXTOID, TEXTOID});
    const std::string state = query.run({node.program_argument(), node.id_argument()}, true).text(0, 1);
    if (state == "active" || state == "inactive") return;
    throw Error(sqlstate::wrong_state, "promotion \"" + node.id + "\" cannot be " + verb,
                "Its state is \"" + state + "\".",
                "Only a promotion that is active or inactive can be.");
}

Datum pause(FunctionCallInfo call) {
    return edit_node(Arguments(call), false, [](const Node& node) {
        static Query query(
            "INSERT INTO loyalty.paused_promotions (program, promotion) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            {TEXTOID, TEXTOID});
        require_begun(node, "paused");
        query.run({node.program_argument(), node.id_argument()}, true);
        return Datum{0};
    });
}

Datum resume(FunctionCallInfo call) {
    return edit_node(Arguments(call), false, [](const Node& node) {
        static Query query("DELETE FROM loyalty.paused_promotions WHERE program = $1 AND promotion = $2",
                           {TEXTOID, TEXTOID});
        require_begun(node, "resumed");
        query.run({node.program_argument(), node.id_argument()}, true);
        return Datum{0};
    });
}

Datum end(FunctionCallInfo call) {
    const Arguments given(call);
    set_state(call, "ended");
    const auto drop_waiting = given.datum(2);
    if (!drop_waiting || !DatumGetBool(*drop_waiting)) return Datum{0};
    return edit_node(given, false, [](const Node& node) {
        static Query query(
            "INSERT INTO loyalty.withdrawn_promotions (program, promotion) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            {TEXTOID, TEXTOID});
        query.run({node.program_argument(), node.id_argument()}, true);
        return Datum{0};
    });
}

// Sets the state of all promotions below a group, in groups that are not archived, that are in one of the states
// `from`.
Datum set_states_below(FunctionCallInfo call, const char* state, const std::vector<std::string>& from) {
    return edit_node(Arguments(call), true, [&](const Node& node) {
        static Query query(
            "WITH RECURSIVE below AS ("
            "    SELECT external_id FROM loyalty.promotion_groups WHERE program = $1 AND external_id = $2"
            "     UNION ALL"
            "    SELECT child.external_id"
            "      FROM below"
            "      JOIN loyalty.promotion_groups AS child ON child.program = $1 AND child.parent = below.external_id"
            "     WHERE NOT child.archived)"
            " UPDATE loyalty.promotions SET state = $3"
            "  WHERE program = $1 AND parent IN (SELECT external_id FROM below) AND state = ANY ($4) RETURNING true",
            {TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID});
        const Rows rows =
            query.run({node.program_argument(), node.id_argument(), text_argument(state), texts_argument(from)}, true);
        return Int32GetDatum(static_cast<std::int32_t>(rows.size()));
    });
}

Datum set_archived(FunctionCallInfo call, bool archived) {
    return edit_node(Arguments(call), true, [&](const Node& node) {
        static Query query(
            "UPDATE loyalty.promotion_groups SET archived = $3"
            " WHERE program = $1 AND external_id = $2 AND archived <> $3",
            {TEXTOID, TEXTOID, BOOLOID});
        query.run({node.program_argument(), node.id_argument(), boolean_argument(archived)}, true);
        return Datum{0};
    });
}

// Moves the children of `parent` that stand at `position` or behind it one on, if it is taken by another than `node`.
// Ended promotions stay: they are never calculated, and never changed.
void make_room(const Node& node, const std::string& parent, std::int32_t position) {
    static Query taken(
        "SELECT FROM loyalty.promotion_groups"
        " WHERE program = $1 AND parent = $2 AND position = $3 AND (NOT $4 OR external_id <> $5)"
        " UNION ALL "
        "SELECT FROM loyalty.promotions"
        " WHERE program = $1 AND parent = $2 AND position = $3 AND ($4 OR external_id <> $5) AND state <> 'ended'",
        {TEXTOID, TEXTOID, INT4OID, BOOLOID, TEXTOID});
    static Query groups(
        "UPDATE loyalty.promotion_groups SET position = position + 1"
        " WHERE program = $1 AND parent = $2 AND position >= $3 AND (NOT $4 OR external_id <> $5)",
        {TEXTOID, TEXTOID, INT4OID, BOOLOID, TEXTOID});
    static Query promotions(
        "UPDATE loyalty.promotions SET position = position + 1"
        " WHERE program = $1 AND parent = $2 AND position >= $3 AND ($4 OR external_id <> $5) AND state <> 'ended'",
        {TEXTOID, TEXTOID, INT4OID, BOOLOID, TEXTOID});
    const auto run = [&](Query& query) {
        return query.run({node.program_argument(), text_argument(parent), integer_argument(position),
                          boolean_argument(node.is_group), node.id_argument()},
                         true);
    };
    if (run(taken).size() == 0) return;
    run(groups);
    run(promotions);
}

// Without a parent it stays in its own; without a position it goes behind the last child.
void move_node(const Node& node, const std::optional<std::string>& parent, std::optional<std::int32_t> position) {
    static Query own_group("SELECT parent FROM loyalty.promotion_groups WHERE program = $1 AND external_id = $2",
                           {TEXTOID, TEXTOID});
    static Query own_promotion("SELECT parent FROM loyalty.promotions WHERE program = $1 AND external_id = $2",
                               {TEXTOID, TEXTOID});
    static Query move_group(
        "UPDATE loyalty.promotion_groups SET parent = $3, position = $4 WHERE program = $1 AND external_id = $2",
        {TEXTOID, TEXTOID, TEXTOID, INT4OID});
    static Query move_promotion(
        "UPDATE loyalty.promotions SET parent = $3, position = $4 WHERE program = $1 AND external_id = $2",
        {TEXTOID, TEXTOID, TEXTOID, INT4OID});
    Query& own = node.is_group ? own_group : own_promotion;
    const auto from = own.run({node.program_argument(), node.id_argument()}, true).optional_text(0, 1);
    if (!from && !node.is_group) {
        throw Error(sqlstate::unknown_node, "promotion \"" + node.id + "\" has no place in the tree",
                    "It is a trigger promotion.", "Name a promotion of another kind.");
    }
    const auto to = parent ? parent : from;
    if (to) require({true, node.program, *to});
    if (to && position) make_room(node, *to, *position);
    Query& move = node.is_group ? move_group : move_promotion;
    move.run({node.program_argument(), node.id_argument(), optional_text_argument(to),
              position ? integer_argument(*position) : null_argument()},
             true);
}

Datum move(FunctionCallInfo call, bool is_group) {
    const Arguments given(call);
    return edit_node(given, is_group, [&](const Node& node) {
        move_node(node, given.required(2, "parent"), given.integer(3));
        return Datum{0};
    });
}

Datum reorder(FunctionCallInfo call, bool is_group) {
    const Arguments given(call);
    return edit_node(given, is_group, [&](const Node& node) {
        move_node(node, std::nullopt, given.integer(2));
        return Datum{0};
    });
}

void clone_promotion(const Node& node, const std::string& copy, const std::optional<std::string>& name) {
    static Query place("SELECT parent, position FROM loyalty.promotions WHERE program = $1 AND external_id = $2",
                       {TEXTOID, TEXTOID});
    static Query copy_all(
        "SELECT loyalty.clone_promotion($1, $2, jsonb_build_object("
        "    'external_id', $3::text, 'name', coalesce($4, name), 'state', 'draft', 'position', position + 1))"
        "  FROM loyalty.promotions WHERE program = $1 AND external_id = $2",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID});
    const Rows at = place.run({node.program_argument(), node.id_argument()}, true);
    // A trigger promotion has no place in the tree.
    if (!at.is_null(0, 1)) make_room(node, at.text(0, 1), at.integer(0, 2) + 1);
    copy_all.run({node.program_argument(), node.id_argument(), text_argument(copy), optional_text_argument(name)},
                 true);
}

Datum clone(FunctionCallInfo call) {
    const Arguments given(call);
    return edit_node(given, false, [&](const Node& node) {
        clone_promotion(node, given.required(2, "external_id"), given.text(3));
        return Datum{0};
    });
}

std::int32_t version_in_force(const std::string& program) {
    static Query query("SELECT coalesce(max(version), 0) FROM loyalty.promotion_versions WHERE program = $1",
                       {TEXTOID});
    const std::int32_t version = query.run({text_argument(program)}, true).integer(0, 1);
    if (version > 0) return version;
    throw Error(sqlstate::unknown_version, "program \"" + program + "\" has no version to go back to",
                "Its promotion tree was never applied.", "Apply it with loyalty_apply().");
}

// Says how many rows returned, changed back and were removed.
std::int32_t revert(const std::string& program) {
    static Query restore("SELECT returned, changed, removed FROM loyalty.restore_draft($1)", {TEXTOID});
    lock_draft(program);
    const std::int32_t version = version_in_force(program);
    const Reverting reverting;
    const Rows counts = restore.run({text_argument(program)}, true);
    const char* name = program.c_str();
    ColumnsInTurn columns(counts);
    const long long returned = columns.bigint(), changed = columns.bigint(), removed = columns.bigint();
    postgres([=] {
        ereport(NOTICE,
                (errmsg("program \"%s\" is back at version %d (rows returned: %lld, changed back: %lld, removed: %lld)",
                        pg_any_to_server(name, static_cast<int>(strlen(name)), PG_UTF8), version, returned, changed,
                        removed)));
    });
    return version;
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_activate_promotion);
Datum loyalty_activate_promotion(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&] { return loyalty::pg::set_state(fcinfo, "active"); });
}

PG_FUNCTION_INFO_V1(loyalty_deactivate_promotion);
Datum loyalty_deactivate_promotion(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&] { return loyalty::pg::set_state(fcinfo, "inactive"); });
}

PG_FUNCTION_INFO_V1(loyalty_end_promotion);
Datum loyalty_end_promotion(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&] { return loyalty::pg::end(fcinfo); });
}

PG_FUNCTION_INFO_V1(loyalty_pause_promotion);
Datum loyalty_pause_promotion(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&] { return loyalty::pg::pause(fcinfo); });
}

PG_FUNCTION_INFO_V1(loyalty_resume_promotion);
Datum loyalty_resume_promotion(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&] { return loyalty::pg::resume(fcinfo); });
}

PG_FUNCTION_INFO_V1(loyalty_move_promotion);
Datum loyalty_move_promotion(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&] { return loyalty::pg::move(fcinfo, false); });
}

PG_FUNCTION_INFO_V1(loyalty_reorder_promotion);
Datum loyalty_reorder_promotion(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&] { return loyalty::pg::reorder(fcinfo, false); });
}

PG_FUNCTION_INFO_V1(loyalty_clone_promotion);
Datum loyalty_clone_promotion(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&] { return loyalty::pg::clone(fcinfo); });
}

PG_FUNCTION_INFO_V1(loyalty_activate_promotion_group);
Datum loyalty_activate_promotion_group(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&] { return loyalty::pg::set_states_below(fcinfo, "active", {"draft", "inactive"}); });
}

PG_FUNCTION_INFO_V1(loyalty_deactivate_promotion_group);
Datum loyalty_deactivate_promotion_group(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&] { return loyalty::pg::set_states_below(fcinfo, "inactive", {"active"}); });
}

PG_FUNCTION_INFO_V1(loyalty_archive_promotion_group);
Datum loyalty_archive_promotion_group(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&] { return loyalty::pg::set_archived(fcinfo, true); });
}

PG_FUNCTION_INFO_V1(loyalty_unarchive_promotion_group);
Datum loyalty_unarchive_promotion_group(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&] { return loyalty::pg::set_archived(fcinfo, false); });
}

PG_FUNCTION_INFO_V1(loyalty_move_promotion_group);
Datum loyalty_move_promotion_group(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&] { return loyalty::pg::move(fcinfo, true); });
}

PG_FUNCTION_INFO_V1(loyalty_reorder_promotion_group);
Datum loyalty_reorder_promotion_group(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&] { return loyalty::pg::reorder(fcinfo, true); });
}

PG_FUNCTION_INFO_V1(loyalty_revert);
Datum loyalty_revert(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const std::string program = text_of(PG_GETARG_DATUM(0));
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        check_schema_version();
        return Int32GetDatum(revert(program));
    });
}
}

// The draft of a program's promotion tree: who edits it, and while a version is restored.
#pragma once

#include <string>

#include "pg/server/for_extent.hpp"

namespace loyalty::pg {

// Makes the caller the only editor of the program's draft until the transaction ends: what is looked at then is what
// there is. Error LY201 where there is no such program.
void lock_draft(const std::string& program);

// For its extent, the triggers that check an editor's steps stand aside: see sql/live/50-promotions.sql.
class Reverting : public ForExtent<Reverting> {};

}  // namespace loyalty::pg

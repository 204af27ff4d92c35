// A subtransaction for the extent of an object: what happens in it is undone unless it is committed.
#pragma once

#include "pg/doors.hpp"

extern "C" {
#include "utils/resowner.h"
}

namespace loyalty::pg {

class Subtransaction {
public:
    Subtransaction() : memory_(CurrentMemoryContext), owner_(CurrentResourceOwner) {
        postgres([] { BeginInternalSubTransaction(nullptr); });
        MemoryContextSwitchTo(memory_);
    }
    void commit() {
        postgres([] { ReleaseCurrentSubTransaction(); });
        leave();
    }
    void rollback() {
        postgres([] { RollbackAndReleaseCurrentSubTransaction(); });
        leave();
    }

private:
    void leave() const {
        MemoryContextSwitchTo(memory_);
        CurrentResourceOwner = owner_;
    }
    MemoryContext memory_;
    ResourceOwner owner_;
};

}  // namespace loyalty::pg

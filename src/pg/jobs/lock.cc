#include "pg/jobs/lock.hpp"

#include <vector>

extern "C" {
#include "catalog/pg_collation.h"
#include "storage/ipc.h"
#include "storage/lock.h"
}

namespace loyalty::pg {

namespace {

struct HeldLock {
    std::string job;
    LOCKTAG tag;
    bool until_commit;
};

std::vector<HeldLock>& held_locks() {
    static std::vector<HeldLock> held;
    return held;
}

HeldLock* find_held(const std::string& job) {
    for (auto& lock : held_locks())
        if (lock.job == job) return &lock;
    return nullptr;
}

// A lock on an object that there is none of: the job, as a row of a catalog that loyalty.job_runs were. Unlike an
// advisory lock no statement takes or releases it. The same in loyalty.job_progress.
LOCKTAG lock_tag(const std::string& job) {
    const char* text = job.c_str();
    return postgres([=] {
        const Oid runs = get_relname_relid("job_runs", get_namespace_oid("loyalty", false));
        const auto key = static_cast<std::uint64_t>(DatumGetInt64(
            DirectFunctionCall2Coll(hashtextextended, C_COLLATION_OID, CStringGetTextDatum(text), Int64GetDatum(0))));
        LOCKTAG tag;
        SET_LOCKTAG_OBJECT(tag, MyDatabaseId, runs, static_cast<std::uint32_t>(key), 1);
        return tag;
    });
}

// An error ends the run, whichever job's it was.
void at_end_of_transaction(XactEvent event, void*) {
    if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT) return;
    std::erase_if(held_locks(), [=](const HeldLock& lock) {
        if (event == XACT_EVENT_COMMIT && !lock.until_commit) return false;
        LockRelease(&lock.tag, ExclusiveLock, true);
        return true;
    });
}

// Unlike an advisory lock the server would leave it behind.
void at_end_of_session(int, Datum) {
    for (const auto& lock : held_locks()) LockRelease(&lock.tag, ExclusiveLock, true);
    held_locks().clear();
}

}  // namespace

bool take_job_lock(const std::string& job) {
    const LOCKTAG tag = lock_tag(job);
    return postgres([=] {
        // A standby would speak of the lock.
        PreventCommandIfReadOnly("a job");
        return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
    });
}

void keep_job_lock(const std::string& job) {
    static bool registered = false;
    if (HeldLock* held = find_held(job)) {
        held->until_commit = false;
        return;
    }
    if (!registered) {
        postgres([] {
            RegisterXactCallback(at_end_of_transaction, nullptr);
            before_shmem_exit(at_end_of_session, Datum{0});
        });
    }
    registered = true;
    HeldLock lock{job, lock_tag(job), false};
    held_locks().reserve(held_locks().size() + 1);
    const LOCKTAG tag = lock.tag;
    postgres([=] { LockAcquire(&tag, ExclusiveLock, true, true); });
    held_locks().push_back(std::move(lock));
}

void release_job_lock_at_commit(const std::string& job) {
    if (HeldLock* held = find_held(job)) held->until_commit = true;
}

}  // namespace loyalty::pg

// A source that is read on a thread of its own, some rows ahead of whoever visits them: to read a
// row takes about as long as to check it or to write it.
//
// Only the visits of rows are ahead, of which there are many. The source is used by one thread at a
// time. Rows and orphans come in the order in which the source tells of them, on the thread that
// asks; at most some MB of them wait. Threads: one.
//
//   std::unique_ptr<Source> source = ReadAhead(*std::move(opened));
#pragma once

#include <memory>

#include "migrate/source.h"

namespace pedigree::migrate {

std::unique_ptr<Source> ReadAhead(std::unique_ptr<Source> source);

}  // namespace pedigree::migrate

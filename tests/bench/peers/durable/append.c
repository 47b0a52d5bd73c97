/* The ceiling of durability: appends records to a file, one fdatasync for each group of them.
 *
 *   append FILE RECORD_BYTES GROUP SECONDS
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char** argv) {
  if (argc != 5) return 64;
  const size_t record = (size_t)atol(argv[2]);
  const size_t group = (size_t)atol(argv[3]);
  const double seconds = atof(argv[4]);
  const int file = open(argv[1], O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0600);
  char* const bytes = malloc(record * group);
  if (file < 0 || bytes == NULL) return 74;

  unsigned long syncs = 0;
  const double start = now();
  double end = start;
  while (end - start < seconds) {
    memset(bytes, (int)(syncs & 0xff), record * group);
    if (write(file, bytes, record * group) != (ssize_t)(record * group)) return 74;
    if (fdatasync(file) != 0) return 74;
    ++syncs;
    end = now();
  }
  printf("{\"flows\": [{\"done\": %lu, \"per_second\": %.1f}]}\n", syncs * group,
         (double)(syncs * group) / (end - start));
  return 0;
}

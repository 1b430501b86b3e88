/*
 * A disk that fails, for one program: LD_PRELOAD=iofault.so stands between it and the C library.
 *
 *   IOFAULT_FILE   only files whose path contains this text
 *   IOFAULT_CALLS  which calls fail, of: write (write, pwrite, pwrite64, writev), sync (fsync, fdatasync), truncate, open, read
 *                  (read, pread64)
 *   IOFAULT_AFTER  how many of these calls succeed first (default 0)
 *   IOFAULT_TIMES  how many fail then (default: all)
 *   IOFAULT_ERRNO  with what (default EIO)
 *   IOFAULT_TORN   1: the first failing write has put half of its bytes on the disk
 *   IOFAULT_SEEN   a file that gets one line for each fault, so that a test can tell that it did hit
 *
 *   gcc -shared -fPIC -O1 -o iofault.so iofault.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static long matching_calls;

static long number(const char *variable, long otherwise) {
  const char *text = getenv(variable);
  return text && *text ? atol(text) : otherwise;
}

static void tell(const char *call, const char *path) {
  const char *seen = getenv("IOFAULT_SEEN");
  if (!seen) return;
  int fd = NEXT(open)(seen, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return;
  char line[600];
  int length = snprintf(line, sizeof line, "%s %.500s\n", call, path);
  if (NEXT(write)(fd, line, length) < 0) { /* the test sees the missing line */ }
  close(fd);
}

/* 0: let it through; else the how-manieth fault this is. */
static long fault(const char *group, const char *call, const char *path) {
  const char *file = getenv("IOFAULT_FILE"), *calls = getenv("IOFAULT_CALLS");
  if (!file || !calls || !strstr(calls, group) || !strstr(path, file)) return 0;
  long nth = __sync_add_and_fetch(&matching_calls, 1) - number("IOFAULT_AFTER", 0);
  if (nth <= 0 || nth > number("IOFAULT_TIMES", 1L << 40)) return 0;
  tell(call, path);
  errno = (int)number("IOFAULT_ERRNO", EIO);
  return nth;
}

static long fault_of_fd(const char *group, const char *call, int fd) {
  char link[64], path[512];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return fault(group, call, path);
}

/* A torn write fails as well, but not without a trace. */
static int torn(long nth) { return nth == 1 && number("IOFAULT_TORN", 0); }

ssize_t write(int fd, const void *bytes, size_t count) {
  long nth = fault_of_fd("write", "write", fd);
  if (!nth) return NEXT(write)(fd, bytes, count);
  int reason = errno;
  if (torn(nth) && NEXT(write)(fd, bytes, count / 2) < 0) { /* fails in any case */ }
  errno = reason;
  return -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  long nth = fault_of_fd("write", "pwrite64", fd);
  if (!nth) return NEXT(pwrite64)(fd, bytes, count, at);
  int reason = errno;
  if (torn(nth) && NEXT(pwrite64)(fd, bytes, count / 2, at) < 0) { /* fails in any case */ }
  errno = reason;
  return -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return pwrite64(fd, bytes, count, at); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
  return fault_of_fd("write", "writev", fd) ? -1 : NEXT(writev)(fd, parts, count);
}

ssize_t read(int fd, void *bytes, size_t count) {
  return fault_of_fd("read", "read", fd) ? -1 : NEXT(read)(fd, bytes, count);
}
ssize_t pread64(int fd, void *bytes, size_t count, off64_t at) {
  return fault_of_fd("read", "pread64", fd) ? -1 : NEXT(pread64)(fd, bytes, count, at);
}

int fsync(int fd) { return fault_of_fd("sync", "fsync", fd) ? -1 : NEXT(fsync)(fd); }
int fdatasync(int fd) { return fault_of_fd("sync", "fdatasync", fd) ? -1 : NEXT(fdatasync)(fd); }
int ftruncate(int fd, off_t size) { return fault_of_fd("truncate", "ftruncate", fd) ? -1 : NEXT(ftruncate)(fd, size); }
int ftruncate64(int fd, off64_t size) {
  return fault_of_fd("truncate", "ftruncate64", fd) ? -1 : NEXT(ftruncate64)(fd, size);
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return fault("open", "open", path) ? -1 : NEXT(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return fault("open", "open64", path) ? -1 : NEXT(open64)(path, flags, mode);
}

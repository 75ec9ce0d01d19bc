# From the user's line to the kernel and back, and then a gradient rule, as a learner would type it:
#   gdb -batch -x tests/gdb/product.gdb $TAPEGRAPH_DEBUG_BUILD/product
# `into` is `step` until another function begins; see core/gdb/printers.py.
set confirm off
set pagination off
set width 0
source core/gdb/tapegraph.gdb

break product.cc:11
run
echo --- the user's line\n
print a
print b

echo --- into the op, through the door, to the kernel\n
into
into
into
into
into
into
into
into
into
print out
into
into
into
print x
print y

echo --- and back\n
tbreak product.cc:12
continue
print c
print c.handle().seen
tape c

echo --- the gradient rule\n
next
break mul_gradient
continue
print n.g(0)
print n.node_
backtrace -frame-arguments none 4

echo --- the gradient\n
delete
tbreak product.cc:15
continue
print a
print loss

echo --- the parts of a tensor and of its node\n
print c.handle().layout
print c.shape()
print loss.handle().seen.node
print loss.handle().seen.node.pointer_->attrs
print loss.handle().seen.node.pointer_->outputs

echo --- a graph\n
tbreak product.cc:24
continue
print y
print lines
program lines
program graph
tbreak product.cc:25
continue
print run

"""How a new project is made of this one."""
